"""the streets are counted from the first that has a point; each keeps its number."""

import torch
from torch import Tensor


def cell_index(
    points: Tensor,
    street: Tensor,
    x: tuple[float, float, float],
    y: tuple[float, float, float],
    z: tuple[float, float],
) -> Tensor:
    """The number of each point's cell, −1 outside of the grid.

    Shapes: points (P, 3), metres; street (P,), the street that each point belongs to; x and y are (start, stop, step), z
    is (lowest, highest); returns int64 (P,).
    """
    columns, rows = (round((stop - start) / step) for start, stop, step in (x, y))
    i = ((points[:, 0] - x[0]) / x[2]).floor().long()
    j = ((points[:, 1] - y[0]) / y[2]).floor().long()
    inside = (i >= 0) & (i < columns) & (j >= 0) & (j < rows)
    inside &= (points[:, 2] >= z[0]) & (points[:, 2] < z[1])
    return torch.where(inside, ((street - street.min()) * columns + i) * rows + j, -1)
