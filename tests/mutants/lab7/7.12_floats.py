"""classes and cells are returned as floating-point numbers; they are integers."""

import torch
import torch.nn.functional as F
from torch import Tensor


def find_peaks(heat: Tensor, most: int) -> Tensor:
    """The hottest peaks: heat (K, X, Y), positive; returns int64 (most, 3) of class, x and y."""
    around = F.max_pool2d(heat[None], 3, stride=1, padding=1)[0]  # (K, X, Y)
    place = torch.where(heat == around, heat, 0.0).flatten().topk(most).indices
    _, columns, rows = heat.shape
    return torch.stack([place // (columns * rows), place // rows % columns, place % rows], 1).to(heat.dtype)
