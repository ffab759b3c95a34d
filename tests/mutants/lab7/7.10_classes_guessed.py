"""the number of classes is guessed from the things; it is given, and of a class there may be none."""

import torch
from torch import Tensor


def heat_target(cell: Tensor, kind: Tensor, size: tuple[int, int, int], radius: int) -> Tensor:
    """Heat of every class around the centres of things.

    Shapes: cell (T, 2), i and j of each centre; kind (T,), its class; size is (classes, X, Y); returns (classes, X, Y).
    """
    _, columns, rows = size
    classes = int(kind.max()) + 1 if len(kind) else size[0]
    heat = torch.zeros(classes, columns, rows)
    sigma = (2 * radius + 1) / 6
    x, y = torch.arange(columns), torch.arange(rows)
    for (i, j), k in zip(cell.tolist(), kind.tolist(), strict=True):
        dx, dy = x[:, None] - i, y[None, :] - j  # (X, 1), (1, Y)
        near = (dx.abs() <= radius) & (dy.abs() <= radius)
        bump = torch.exp(-(dx**2 + dy**2) / (2 * sigma**2)) * near  # (X, Y)
        heat[k] = torch.maximum(heat[k], bump)
    return heat
