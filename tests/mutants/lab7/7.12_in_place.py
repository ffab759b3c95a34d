"""the peaks are right, but the heat that was given is changed: something is in place."""

import torch
import torch.nn.functional as F
from torch import Tensor


def find_peaks(heat: Tensor, most: int) -> Tensor:
    """The hottest peaks: heat (K, X, Y), positive; returns int64 (most, 3) of class, x and y."""
    around = F.max_pool2d(heat[None], 3, stride=1, padding=1)[0]  # (K, X, Y)
    heat[heat != around] = 0
    place = heat.flatten().topk(most).indices
    _, columns, rows = heat.shape
    return torch.stack([place // (columns * rows), place // rows % columns, place % rows], 1)
