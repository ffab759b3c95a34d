"""the end of the last interval is given as one more start; `embedding_bag` knows that it ends with the points."""

import torch
import torch.nn.functional as F
from torch import Tensor


def pool_intervals(depth: Tensor, features: Tensor, pixel: Tensor, cell: Tensor, cells: int) -> Tensor:
    inside = cell >= 0
    depth, pixel, cell = depth[inside], pixel[inside], cell[inside]
    order = cell.argsort()
    counts = torch.bincount(cell, minlength=cells)
    starts = torch.cat([counts.new_zeros(1), counts.cumsum(0)])
    return F.embedding_bag(pixel[order], features, starts, mode="sum", per_sample_weights=depth[order])
