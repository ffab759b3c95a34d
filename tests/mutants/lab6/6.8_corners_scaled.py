"""the corners are multiplied by the stride: `coords` counts in strides already."""

from itertools import product

import torch
from torch import Tensor

from efficientlab import kernels


def voxel_to_point(features: Tensor, coords: Tensor, points: Tensor, stride: int) -> Tensor:
    """Interpolate the features of occupied voxels at the points.

    Shapes: features (V, C); coords (V, 4), int32, counted in strides; points (P, 4): the cloud, and x, y, z in voxels
    of stride 1; returns (P, C), differentiable in features.
    """
    at = points / points.new_tensor([1, stride, stride, stride])
    low = at.floor()
    above = (at - low)[:, 1:]  # (P, 3), the weights of the upper corners
    total, weights = 0, 0
    for corner in product((0, 1), repeat=3):
        step = low.new_tensor([0, *corner])
        row = kernels.find_voxels(
            coords, ((low + step) * low.new_tensor([1, stride, stride, stride])).int()
        ).long()  # (P,)
        weight = torch.where(step[1:] == 1, above, 1 - above).prod(1) * (row >= 0)
        total = total + weight[:, None] * features[row.clamp_min(0)]  # (P, C)
        weights = weights + weight
    return total / (weights[:, None] + 1e-8)
