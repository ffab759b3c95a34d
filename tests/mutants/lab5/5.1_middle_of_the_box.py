"""the middle of the cloud's box is moved to the middle; it is the mean of its points."""

import torch
from torch import Tensor


def normalize_to_grid(points: Tensor, resolution: int) -> Tensor:
    low, high = points.amin(2, keepdim=True), points.amax(2, keepdim=True)
    centred = points - (low + high) / 2
    radius = centred.norm(dim=1, keepdim=True).amax(2, keepdim=True)  # (N, 1, 1)
    scaled = torch.where(radius > 0, centred / (2 * radius), 0.0)
    return (resolution * (0.5 + scaled)).clamp(0, resolution - 1)
