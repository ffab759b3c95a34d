"""the hole is a square of half the height: its width is half the picture's width."""

import torch


def cutout(x, rng):
    side = x.shape[2] // 2

    def covered(length):
        centre = torch.randint(0, length + 1, (len(x), 1), generator=rng, device=x.device)
        index = torch.arange(length, device=x.device)
        return (index >= centre - side // 2) & (index < centre + side // 2)

    hole = covered(x.shape[2])[:, None, :, None] & covered(x.shape[3])[:, None, None, :]
    return x.masked_fill(hole, 0)
