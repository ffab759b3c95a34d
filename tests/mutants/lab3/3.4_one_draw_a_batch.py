"""one hole is drawn for the whole batch: every picture must be drawn for alone."""

import torch


def cutout(x, rng):
    def covered(length):
        centre = torch.randint(0, length + 1, (1, 1), generator=rng, device=x.device)
        index = torch.arange(length, device=x.device)
        return (index >= centre - length // 4) & (index < centre + length // 4)

    hole = covered(x.shape[2])[:, None, :, None] & covered(x.shape[3])[:, None, None, :]
    return x.masked_fill(hole, 0)
