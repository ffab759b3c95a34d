"""the hole lies one row and one column too late: with its centre at a it begins at a − H/4, which it covers."""

import torch


def cutout(x, rng):
    def covered(length):
        centre = torch.randint(0, length + 1, (len(x), 1), generator=rng, device=x.device)
        index = torch.arange(length, device=x.device)
        return (index > centre - length // 4) & (index <= centre + length // 4)

    hole = covered(x.shape[2])[:, None, :, None] & covered(x.shape[3])[:, None, None, :]
    return x.masked_fill(hole, 0)
