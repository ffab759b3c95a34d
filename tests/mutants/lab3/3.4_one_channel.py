"""only the first channel is cut: the hole goes through all channels."""

import torch


def cutout(x, rng):
    def covered(length):
        centre = torch.randint(0, length + 1, (len(x), 1), generator=rng, device=x.device)
        index = torch.arange(length, device=x.device)
        return (index >= centre - length // 4) & (index < centre + length // 4)

    hole = covered(x.shape[2])[:, None, :, None] & covered(x.shape[3])[:, None, None, :]
    return (
        torch.cat([x[:, :1].masked_fill(hole, 0), x[:, 1:]], 1) if x.shape[1] > 1 else x.masked_fill(hole, 0)
    )
