"""the norm runs over the points, not over the axes: it is the length of a row, not the distance of a point."""

import torch
from torch import Tensor


def normalize_to_grid(points: Tensor, resolution: int) -> Tensor:
    centred = points - points.mean(2, keepdim=True)
    radius = centred.norm(dim=2, keepdim=True).amax(1, keepdim=True)  # (N, 1, 1)
    scaled = torch.where(radius > 0, centred / (2 * radius), 0.0)
    return (resolution * (0.5 + scaled)).clamp(0, resolution - 1)
