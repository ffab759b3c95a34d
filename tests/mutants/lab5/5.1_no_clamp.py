"""coordinates reach beyond R − 1, the centre of the last voxel: they are not clamped, or clamped to R."""

import torch
from torch import Tensor


def normalize_to_grid(points: Tensor, resolution: int) -> Tensor:
    centred = points - points.mean(2, keepdim=True)
    radius = centred.norm(dim=1, keepdim=True).amax(2, keepdim=True)  # (N, 1, 1)
    scaled = torch.where(radius > 0, centred / (2 * radius), 0.0)
    return resolution * (0.5 + scaled)
