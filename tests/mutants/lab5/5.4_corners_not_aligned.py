"""`grid_sample` without `align_corners=True` takes −1 and 1 for the outer faces of the grid, not for the centres of voxels."""

import torch.nn.functional as F
from torch import Tensor


def trilinear_devoxelize(voxels: Tensor, coords: Tensor) -> Tensor:
    place = (2 * coords / (voxels.shape[2] - 1) - 1).flip(1)  # (N, 3, P), x last
    place = place.transpose(1, 2)[:, :, None, None].to(voxels.dtype)  # (N, P, 1, 1, 3)
    return F.grid_sample(voxels, place, align_corners=False)[..., 0, 0]
