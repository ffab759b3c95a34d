"""the depths are not brought into the order of the cells."""

import torch
import torch.nn.functional as F
from torch import Tensor


def pool_intervals(depth: Tensor, features: Tensor, pixel: Tensor, cell: Tensor, cells: int) -> Tensor:
    order = cell.argsort(stable=True)
    order = order[cell[order] >= 0]  # the points inside, cell by cell
    counts = torch.bincount(cell[order], minlength=cells)
    starts = counts.cumsum(0) - counts  # (cells,): where each cell's points begin
    return F.embedding_bag(pixel[order], features, starts, mode="sum", per_sample_weights=depth[cell >= 0])
