"""points outside fall into the first cell; they are dropped."""

import torch
from torch import Tensor


def pool_prefix_sums(rows: Tensor, cell: Tensor, cells: int) -> Tensor:
    """The sum of the rows of each cell, by sorting and prefix sums.

    Shapes: rows (P, C); cell (P,), 0 … cells − 1, or −1; returns (cells, C).
    """
    cell = cell.clamp(min=0)
    order = cell.argsort()
    rows, cell = rows[order].cumsum(0), cell[order]
    last = torch.ones_like(cell, dtype=torch.bool)
    last[:-1] = cell[1:] != cell[:-1]
    ends = rows[last]  # (occupied cells, C): the sum of everything up to the end of each run
    pooled = rows.new_zeros(cells, rows.shape[1])
    pooled[cell[last]] = torch.cat([ends[:1], ends[1:] - ends[:-1]])
    return pooled
