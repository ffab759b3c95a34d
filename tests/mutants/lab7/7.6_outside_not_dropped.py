"""points outside are not dropped: sorted, they stand before the first cell's, and the starts do not count them."""

import torch
import torch.nn.functional as F
from torch import Tensor


def pool_intervals(depth: Tensor, features: Tensor, pixel: Tensor, cell: Tensor, cells: int) -> Tensor:
    order = cell.argsort(stable=True)
    counts = torch.bincount(cell[cell >= 0], minlength=cells)
    starts = counts.cumsum(0) - counts  # (cells,): where each cell's points begin
    return F.embedding_bag(pixel[order], features, starts, mode="sum", per_sample_weights=depth[order])
