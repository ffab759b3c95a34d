"""the features of a voxel are added up, not averaged."""

import torch
from torch import Tensor


def avg_voxelize(features: Tensor, coords: Tensor, resolution: int) -> Tensor:
    n, channels, points = features.shape
    i, j, k = coords.round().long().unbind(1)  # (N, P) each
    cloud = torch.arange(n, device=features.device)[:, None]
    voxel = (((cloud * resolution + i) * resolution + j) * resolution + k).flatten()  # (N·P,)
    rows = features.transpose(1, 2).reshape(n * points, channels)
    total = rows.new_zeros(n * resolution**3, channels).index_add(0, voxel, rows)
    count = rows.new_zeros(n * resolution**3).index_add(0, voxel, torch.ones_like(rows[:, 0]))
    mean = total
    return mean.view(n, resolution, resolution, resolution, channels).movedim(4, 1)
