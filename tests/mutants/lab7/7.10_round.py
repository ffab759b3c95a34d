"""the bump ends at a circle; it ends at a square of 2 r + 1 cells."""

import torch
from torch import Tensor


def heat_target(cell: Tensor, kind: Tensor, size: tuple[int, int, int], radius: int) -> Tensor:
    classes, columns, rows = size
    heat = torch.zeros(size)
    sigma = (2 * radius + 1) / 6
    x, y = torch.arange(columns), torch.arange(rows)
    for (i, j), k in zip(cell.tolist(), kind.tolist(), strict=True):
        dx, dy = x[:, None] - i, y[None, :] - j  # (X, 1), (1, Y)
        near = dx**2 + dy**2 <= radius**2
        bump = torch.exp(-(dx**2 + dy**2) / (2 * sigma**2)) * near  # (X, Y)
        heat[k] = torch.maximum(heat[k], bump)
    return heat
