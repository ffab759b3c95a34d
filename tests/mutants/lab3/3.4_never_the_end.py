"""the centre is never at the far end, H or W: torch.randint leaves its upper end out."""

import torch


def cutout(x, rng):
    def covered(length):
        centre = torch.randint(0, length, (len(x), 1), generator=rng, device=x.device)
        index = torch.arange(length, device=x.device)
        return (index >= centre - length // 4) & (index < centre + length // 4)

    hole = covered(x.shape[2])[:, None, :, None] & covered(x.shape[3])[:, None, None, :]
    return x.masked_fill(hole, 0)
