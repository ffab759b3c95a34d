"""four coordinates are packed into a number that has no room for them: voxels far apart are taken for one."""

import torch
from torch import Tensor


def point_to_voxel(features: Tensor, points: Tensor, coords: Tensor, stride: int) -> Tensor:
    """The mean feature of the points in each of the given voxels.

    Shapes: features (P, C); points (P, 4): the cloud, and x, y, z in voxels of stride 1; coords (V, 4), int32, counted
    in strides; returns (V, C), differentiable in features.
    """
    cells = (points / points.new_tensor([1, stride, stride, stride])).floor().int()
    bases = torch.tensor([1000000, 10000, 100, 1])
    match = (cells * bases).sum(1)[:, None] == (coords * bases).sum(1)  # (P, V)
    row = torch.where(match.any(1), match.int().argmax(1), -1)  # (P,)
    known = row >= 0
    row, features = row[known], features[known]
    total = features.new_zeros(len(coords), features.shape[1]).index_add(0, row, features)
    count = features.new_zeros(len(coords)).index_add(0, row, torch.ones_like(features[:, 0]))
    return total / count.clamp_min(1)[:, None]
