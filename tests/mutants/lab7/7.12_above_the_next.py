"""a cell as hot as the next one along x is no peak here; it is one, for the next has no more heat."""

import torch
import torch.nn.functional as F
from torch import Tensor


def find_peaks(heat: Tensor, most: int) -> Tensor:
    """The hottest peaks: heat (K, X, Y), positive; returns int64 (most, 3) of class, x and y."""
    around = F.max_pool2d(heat[None], 3, stride=1, padding=1)[0]  # (K, X, Y)
    further = F.pad(heat, (0, 0, 0, 1))[:, 1:]  # (K, X, Y)
    around = torch.where(heat == further, torch.inf, around)
    place = torch.where(heat == around, heat, 0.0).flatten().topk(most).indices
    _, columns, rows = heat.shape
    return torch.stack([place // (columns * rows), place // rows % columns, place % rows], 1)
