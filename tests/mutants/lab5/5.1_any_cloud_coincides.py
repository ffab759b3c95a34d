"""one cloud whose points coincide sends all clouds of the batch to the middle."""

import torch
from torch import Tensor


def normalize_to_grid(points: Tensor, resolution: int) -> Tensor:
    """Fit each cloud into a grid of R = resolution voxels along an axis.

    Shapes: points (N, 3, P), any unit; returns (N, 3, P), in [0, R − 1].
    """
    centred = points - points.mean(2, keepdim=True)
    radius = centred.norm(dim=1, keepdim=True).amax(2, keepdim=True)  # (N, 1, 1)
    if (radius == 0).any():
        return torch.full_like(points, resolution / 2)
    scaled = torch.where(radius > 0, centred / (2 * radius), 0.0)
    return (resolution * (0.5 + scaled)).clamp(0, resolution - 1)
