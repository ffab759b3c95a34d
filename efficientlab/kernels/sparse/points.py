"""Features between points and the occupied voxels around them: the two ends of a sparse point-voxel block.

    point_to_voxel:  x[v] = mean of f[p] over the points of voxel v, ⌊point⌋ = v
    voxel_to_point:  f[p] = Σ_corners w · x[corner] / (Σ_corners w + 1e−8),   w = Π_axes (1 − |point − corner|)

The corners are the eight integer coordinates around a point; those that are not occupied have no weight, and
the others share it. Points are in voxels and carry no gradient.

Tang et al., "Searching Efficient 3D Architectures with Sparse Point-Voxel Convolution" (ECCV 2020).
"""

from __future__ import annotations

import torch
from torch import Tensor

from efficientlab.kernels.gather import weighted_gather
from efficientlab.kernels.means import mean_of_rows
from efficientlab.kernels.sparse.coords import check_points, find_corners, find_voxels, voxel_of


def point_to_voxel(features: Tensor, points: Tensor, coords: Tensor) -> Tensor:
    """Average the features of the points in each voxel; points in none of them are left out.

    Args:
        features: (P, C), real.
        points: (P, 4), batch, x, y, z, in voxels.
        coords: (V, 4) integers, distinct; see `occupied_voxels`.

    Returns:
        (V, C), differentiable in features; 0 for a voxel without points.

    Raises:
        ValueError: shapes do not fit, points hold NaN, or coords has duplicates.
        TypeError: features are not real, coords are not integers, or not all are on one device.
    """
    _check(features, points, len(points))
    row = find_voxels(coords, voxel_of(points))  # (P,)
    return mean_of_rows(features, row, len(coords))


def voxel_to_point(features: Tensor, coords: Tensor, points: Tensor) -> Tensor:
    """Interpolate features of occupied voxels at the points.

    Args:
        features: (V, C), real.
        coords: (V, 4) integers, distinct: batch, x, y, z.
        points: (P, 4), in voxels.

    Returns:
        (P, C), differentiable in features; 0 where no corner is occupied.

    Raises:
        ValueError: shapes do not fit, points hold NaN, or coords has duplicates.
        TypeError: features are not real, coords are not integers, or not all are on one device.
    """
    _check(features, points, len(coords))
    lower = voxel_of(points)
    points = points.detach()
    dtype = torch.promote_types(torch.promote_types(points.dtype, features.dtype), torch.float32)
    above = (points.to(dtype) - lower)[:, 1:]  # (P, 3)
    row = find_corners(coords, lower)  # (P, 8)
    x, y, z = torch.stack([1 - above, above], 2).unbind(1)  # (P, 2) each, of the lower and the upper corner
    weight = (x[:, :, None, None] * y[:, None, :, None] * z[:, None, None, :]).flatten(1)  # (P, 8)
    weight = torch.where(row < 0, 0.0, weight)
    row |= -(weight == 0).int()  # −1, which has all bits, where a corner has no weight
    weight = weight / (weight.sum(1, keepdim=True) + 1e-8)
    return weighted_gather(features, row, weight)


def _check(features: Tensor, points: Tensor, rows: int) -> None:
    check_points(points)
    if features.ndim != 2 or len(features) != rows:
        raise ValueError(f"features must be (rows, C) with {rows} rows, got {tuple(features.shape)}")
    if not features.is_floating_point():
        raise TypeError(f"features must be real, got {features.dtype}")
    if features.device != points.device:
        raise TypeError(f"features are on {features.device}, points on {points.device}")
