"""σ is the radius; it is (2 r + 1) / 6."""

import torch
from torch import Tensor


def heat_target(cell: Tensor, kind: Tensor, size: tuple[int, int, int], radius: int) -> Tensor:
    classes, columns, rows = size
    heat = torch.zeros(size)
    sigma = radius
    x, y = torch.arange(columns), torch.arange(rows)
    for (i, j), k in zip(cell.tolist(), kind.tolist(), strict=True):
        dx, dy = x[:, None] - i, y[None, :] - j  # (X, 1), (1, Y)
        near = (dx.abs() <= radius) & (dy.abs() <= radius)
        bump = torch.exp(-(dx**2 + dy**2) / (2 * sigma**2)) * near  # (X, Y)
        heat[k] = torch.maximum(heat[k], bump)
    return heat
