import torch
import torch.nn.functional as F
from torch import Tensor


def pool_intervals(depth: Tensor, features: Tensor, pixel: Tensor, cell: Tensor, cells: int) -> Tensor:
    """Points outside stand in cell 0 and weigh nothing there."""
    depth, cell = depth * (cell >= 0), cell.clamp(min=0)
    order = cell.argsort()
    starts = torch.searchsorted(cell[order], torch.arange(cells))
    return F.embedding_bag(pixel[order], features, starts, mode="sum", per_sample_weights=depth[order])
