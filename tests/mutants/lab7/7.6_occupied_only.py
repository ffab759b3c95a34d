"""only occupied cells have an interval; a cell without points has one, too, of no length."""

import torch
import torch.nn.functional as F
from torch import Tensor


def pool_intervals(depth: Tensor, features: Tensor, pixel: Tensor, cell: Tensor, cells: int) -> Tensor:
    inside = cell >= 0
    depth, pixel, cell = depth[inside], pixel[inside], cell[inside]
    order = cell.argsort()
    _, counts = torch.unique_consecutive(cell[order], return_counts=True)
    starts = counts.cumsum(0) - counts
    return F.embedding_bag(pixel[order], features, starts, mode="sum", per_sample_weights=depth[order])
