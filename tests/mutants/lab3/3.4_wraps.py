"""the hole comes in again on the other side: what lies outside of the picture cuts nothing."""

import torch


def cutout(x, rng):
    def covered(length):
        centre = torch.randint(0, length + 1, (len(x), 1), generator=rng, device=x.device)
        index = torch.arange(length, device=x.device)
        return (index - centre + length // 4) % length < length // 2

    hole = covered(x.shape[2])[:, None, :, None] & covered(x.shape[3])[:, None, None, :]
    return x.masked_fill(hole, 0)
