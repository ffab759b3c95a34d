"""the mask is returned, without the picture under it."""

import torch


def cutout(x, rng):
    def covered(length):
        centre = torch.randint(0, length + 1, (len(x), 1), generator=rng, device=x.device)
        index = torch.arange(length, device=x.device)
        return (index >= centre - length // 4) & (index < centre + length // 4)

    hole = covered(x.shape[2])[:, None, :, None] & covered(x.shape[3])[:, None, None, :]
    return (~hole).to(x.dtype).expand_as(x)
