"""row and column of the hole come from the same draw, so holes lie on the diagonal: draw them independently."""

import torch


def cutout(x, rng):
    share = torch.rand(len(x), 1, generator=rng, device=x.device)

    def covered(length):
        centre = (share * (length + 1)).floor()
        index = torch.arange(length, device=x.device)
        return (index >= centre - length // 4) & (index < centre + length // 4)

    hole = covered(x.shape[2])[:, None, :, None] & covered(x.shape[3])[:, None, None, :]
    return x.masked_fill(hole, 0)
