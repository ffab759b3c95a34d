"""the sums are right, but where all points are outside it stops with an error: then every cell holds 0."""

import torch
from torch import Tensor


def pool_prefix_sums(rows: Tensor, cell: Tensor, cells: int) -> Tensor:
    """The sum of the rows of each cell, by sorting and prefix sums.

    Shapes: rows (P, C); cell (P,), 0 … cells − 1, or −1; returns (cells, C).
    """
    rows, cell = rows[cell >= 0], cell[cell >= 0]
    order = cell.argsort()
    rows, cell = rows[order].cumsum(0), cell[order]
    last = torch.zeros_like(cell, dtype=torch.bool)
    last[-1] = True
    last[:-1] = cell[1:] != cell[:-1]
    ends = rows[last]  # (occupied cells, C): the sum of everything up to the end of each run
    pooled = rows.new_zeros(cells, rows.shape[1])
    pooled[cell[last]] = torch.cat([ends[:1], ends[1:] - ends[:-1]])
    return pooled
