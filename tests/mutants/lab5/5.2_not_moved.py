"""the rows of voxels are viewed as (N, C, R, R, R), without moving the channels: each number lands in another voxel."""

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
    mean = total / count.clamp_min(1)[:, None]
    return mean.reshape(n, channels, resolution, resolution, resolution)
