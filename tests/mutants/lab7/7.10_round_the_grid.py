"""indices below 0 count from the end: a bump at one border comes in again at the other."""

import math

import torch
from torch import Tensor


def heat_target(cell: Tensor, kind: Tensor, size: tuple[int, int, int], radius: int) -> Tensor:
    _, columns, rows = size
    heat = torch.zeros(size)
    sigma = (2 * radius + 1) / 6
    for (i, j), k in zip(cell.tolist(), kind.tolist(), strict=True):
        for x in range(i - radius, min(i + radius + 1, columns)):
            for y in range(j - radius, min(j + radius + 1, rows)):
                bump = math.exp(-((x - i) ** 2 + (y - j) ** 2) / (2 * sigma**2))
                heat[k, x, y] = max(float(heat[k, x, y]), bump)
    return heat
