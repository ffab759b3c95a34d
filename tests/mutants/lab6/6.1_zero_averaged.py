"""the 0 that a voxel begins with is averaged as well: a mean has one point too many."""

import torch
from torch import Tensor


def voxelize(points: Tensor, features: Tensor, size: float) -> tuple[Tensor, Tensor, Tensor]:
    """The occupied voxels of a batch of clouds, the voxel of each point, and the mean feature of each voxel.

    Shapes: points (P, 4): the number of the cloud, and x, y, z in metres; features (P, C); size in metres.
    Returns coords (V, 4), int64, ascending; row (P,), int64; mean (V, C), differentiable in features.
    """
    cells = torch.cat([points[:, :1], points[:, 1:] / size], 1).floor().long()  # (P, 4)
    coords, row = cells.unique(dim=0, return_inverse=True)
    total = features.new_zeros(len(coords), features.shape[1]).index_add(0, row, features)
    count = features.new_zeros(len(coords)).index_add(0, row, torch.ones_like(features[:, 0]))
    return coords, row, total / (count + 1)[:, None]
