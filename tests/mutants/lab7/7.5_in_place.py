"""the sums are right, but the rows or the cells that were given are changed: something is in place."""

import torch
from torch import Tensor


def pool_prefix_sums(rows: Tensor, cell: Tensor, cells: int) -> Tensor:
    rows[cell < 0] = 0.0
    rows, cell = rows[cell >= 0], cell[cell >= 0]
    order = cell.argsort()
    rows, cell = rows[order].cumsum(0), cell[order]
    last = torch.ones_like(cell, dtype=torch.bool)
    last[:-1] = cell[1:] != cell[:-1]
    ends = rows[last]  # (occupied cells, C): the sum of everything up to the end of each run
    pooled = rows.new_zeros(cells, rows.shape[1])
    pooled[cell[last]] = torch.cat([ends[:1], ends[1:] - ends[:-1]])
    return pooled
