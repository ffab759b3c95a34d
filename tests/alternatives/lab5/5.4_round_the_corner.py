"""the upper neighbour of the last voxel is the first, with weight 0."""

from itertools import product

import torch
from torch import Tensor


def trilinear_devoxelize(voxels: Tensor, coords: Tensor) -> Tensor:
    n, channels, resolution = voxels.shape[:3]
    rows = voxels.movedim(1, 4).reshape(n * resolution**3, channels)
    low = coords.floor()
    weight = coords - low  # (N, 3, P), of the upper neighbour
    low = low.long()
    high = (low + 1) % resolution
    result = 0
    for corner in product((0, 1), repeat=3):
        voxel = torch.arange(n, device=rows.device)[:, None]
        share = torch.ones_like(weight[:, 0])  # (N, P)
        for axis, upper in enumerate(corner):
            voxel = voxel * resolution + (high if upper else low)[:, axis]
            share = share * (weight[:, axis] if upper else 1 - weight[:, axis])
        result = result + share[..., None] * rows[voxel]  # (N, P, C)
    return result.transpose(1, 2)
