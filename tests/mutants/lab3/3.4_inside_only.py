"""the whole hole always lies inside: its centre may be anywhere, so parts of the hole lie outside."""

import torch


def cutout(x, rng):
    def covered(length):
        centre = torch.randint(
            length // 4, length - length // 4 + 1, (len(x), 1), generator=rng, device=x.device
        )
        index = torch.arange(length, device=x.device)
        return (index >= centre - length // 4) & (index < centre + length // 4)

    hole = covered(x.shape[2])[:, None, :, None] & covered(x.shape[3])[:, None, None, :]
    return x.masked_fill(hole, 0)
