"""a voxel keeps one of its points, and divides it by their number: `index_put` and `x[voxel] = …` overwrite, `index_add` adds."""

import torch
from torch import Tensor


def avg_voxelize(features: Tensor, coords: Tensor, resolution: int) -> Tensor:
    n, channels, points = features.shape
    i, j, k = coords.round().long().unbind(1)  # (N, P) each
    cloud = torch.arange(n, device=features.device)[:, None]
    voxel = (((cloud * resolution + i) * resolution + j) * resolution + k).flatten()  # (N·P,)
    rows = features.transpose(1, 2).reshape(n * points, channels)
    total = rows.new_zeros(n * resolution**3, channels).index_put((voxel,), rows)
    count = rows.new_zeros(n * resolution**3).index_add(0, voxel, torch.ones_like(rows[:, 0]))
    mean = total / count.clamp_min(1)[:, None]
    return mean.view(n, resolution, resolution, resolution, channels).movedim(4, 1)
