"""the given voxels are multiplied by the stride: that finds only the points at a voxel's lower corner."""

import torch
from torch import Tensor

from efficientlab import kernels


def point_to_voxel(features: Tensor, points: Tensor, coords: Tensor, stride: int) -> Tensor:
    """The mean feature of the points in each of the given voxels.

    Shapes: features (P, C); points (P, 4): the cloud, and x, y, z in voxels of stride 1; coords (V, 4), int32, counted
    in strides; returns (V, C), differentiable in features.
    """
    cells = points.floor().int()
    steps = coords.new_tensor([1, stride, stride, stride])
    row = kernels.find_voxels(coords * steps, cells).long()  # (P,)
    row, features = row[row >= 0], features[row >= 0]
    total = features.new_zeros(len(coords), features.shape[1]).index_add(0, row, features)
    count = features.new_zeros(len(coords)).index_add(0, row, torch.ones_like(features[:, 0]))
    return total / count.clamp_min(1)[:, None]
