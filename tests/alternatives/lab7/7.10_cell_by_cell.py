import math

import torch
from torch import Tensor


def heat_target(cell: Tensor, kind: Tensor, size: tuple[int, int, int], radius: int) -> Tensor:
    """One cell after another, in plain Python."""
    heat = torch.zeros(size)
    sigma = (2 * radius + 1) / 6
    for (i, j), k in zip(cell.tolist(), kind.tolist(), strict=True):
        for x in range(max(0, i - radius), min(size[1], i + radius + 1)):
            for y in range(max(0, j - radius), min(size[2], j + radius + 1)):
                value = math.exp(-((x - i) ** 2 + (y - j) ** 2) / (2 * sigma**2))
                heat[k, x, y] = max(float(heat[k, x, y]), value)
    return heat
