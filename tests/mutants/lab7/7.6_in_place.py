"""the sums are right, but one of the tensors that were given is changed: something is in place."""

import torch
import torch.nn.functional as F
from torch import Tensor


def pool_intervals(depth: Tensor, features: Tensor, pixel: Tensor, cell: Tensor, cells: int) -> Tensor:
    """The sum over each cell's points of weight times the pixel's features, by sorting and intervals.

    Shapes: depth (P,), the weight of each point; features (Q, C), of pixels; pixel (P,), 0 … Q − 1; cell (P,),
    0 … cells − 1, or −1; returns (cells, C), differentiable in depth and features.
    """
    cell[cell < 0] = cells
    order = cell.argsort(stable=True)
    order = order[cell[order] < cells]
    counts = torch.bincount(cell[order], minlength=cells)
    starts = counts.cumsum(0) - counts  # (cells,): where each cell's points begin
    return F.embedding_bag(pixel[order], features, starts, mode="sum", per_sample_weights=depth[order])
