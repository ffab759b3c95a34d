"""the middle of the cloud is at 0, not in the middle of the grid: the half is missing."""

import torch
from torch import Tensor


def normalize_to_grid(points: Tensor, resolution: int) -> Tensor:
    centred = points - points.mean(2, keepdim=True)
    radius = centred.norm(dim=1, keepdim=True).amax(2, keepdim=True)  # (N, 1, 1)
    scaled = torch.where(radius > 0, centred / (2 * radius), 0.0)
    return (resolution * scaled).clamp(0, resolution - 1)
