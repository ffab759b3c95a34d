"""A mask of ones, with a rectangle of zeros for each picture."""

import torch


def cutout(x, rng):
    n, _, h, w = x.shape
    mask = torch.ones(n, 1, h, w, device=x.device, dtype=x.dtype)
    for keep in mask[:, 0]:
        i, j = (int(torch.randint(size + 1, (), generator=rng, device=x.device)) for size in (h, w))
        keep[max(i - h // 4, 0) : i + h // 4, max(j - w // 4, 0) : j + w // 4] = 0
    return x * mask
