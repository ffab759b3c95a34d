"""the number of cells is cut off, and 2.999… becomes 2: round it."""

import torch
from torch import Tensor


def cell_index(
    points: Tensor,
    street: Tensor,
    x: tuple[float, float, float],
    y: tuple[float, float, float],
    z: tuple[float, float],
) -> Tensor:
    columns, rows = (int((stop - start) / step) for start, stop, step in (x, y))
    i = ((points[:, 0] - x[0]) / x[2]).floor().long()
    j = ((points[:, 1] - y[0]) / y[2]).floor().long()
    inside = (i >= 0) & (i < columns) & (j >= 0) & (j < rows)
    inside &= (points[:, 2] >= z[0]) & (points[:, 2] < z[1])
    return torch.where(inside, (street * columns + i) * rows + j, -1)
