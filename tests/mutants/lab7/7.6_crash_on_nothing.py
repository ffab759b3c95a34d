"""the sums are right, but where all points are outside it stops with an error: then every cell holds 0."""

import torch
import torch.nn.functional as F
from torch import Tensor


def pool_intervals(depth: Tensor, features: Tensor, pixel: Tensor, cell: Tensor, cells: int) -> Tensor:
    """The sum over each cell's points of weight times the pixel's features, by sorting and intervals.

    Shapes: depth (P,), the weight of each point; features (Q, C), of pixels; pixel (P,), 0 … Q − 1; cell (P,),
    0 … cells − 1, or −1; returns (cells, C), differentiable in depth and features.
    """
    order = cell.argsort(stable=True)
    order = order[cell[order] >= 0]
    cell = cell[order]
    first = torch.zeros_like(cell, dtype=torch.bool)
    first[0] = True
    first[1:] = cell[1:] != cell[:-1]
    starts = first.nonzero()[:, 0]
    sums = F.embedding_bag(pixel[order], features, starts, mode="sum", per_sample_weights=depth[order])
    return features.new_zeros(cells, features.shape[1]).index_add(0, cell[first], sums)
