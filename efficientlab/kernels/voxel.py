"""Points to a dense voxel grid and back: the two ends of a point-voxel convolution.

    avg_voxelize:         x[v] = mean of f[p] over the points p in voxel v, 0 where there is none
    trilinear_devoxelize: f[p] = Σ_corners w · x[corner],   w = Π_axes (1 − |coordinate − corner|)

Coordinates count voxels: integers are voxel centres, so a grid of resolution R spans [0, R − 1]. They carry
no gradient. Voxels are stored channels_last_3d, so that a voxel's C features are one contiguous row: both ops
then move rows and not single numbers.

Liu, Tang, Lin and Han, "Point-Voxel CNN for Efficient 3D Deep Learning" (NeurIPS 2019).
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from efficientlab.kernels.backend import check_numbers, kernel, nbytes, register_cost, use_triton, whole
from efficientlab.kernels.gather import weighted_gather
from efficientlab.kernels.means import mean_of_rows
from efficientlab.kernels.scale import largest_of, unit_power

if TYPE_CHECKING:
    import triton.language as tl


def normalize_to_grid(points: Tensor, resolution: int, eps: float = 0.0) -> Tensor:
    """Fit each cloud into the grid: g = R · (½ + q / (2 · max‖q‖ + eps)), q = points − mean, in [0, R − 1].

    Args:
        points: (N, 3, P), real, any unit.
        resolution: R, voxels along an axis.
        eps: added to the diameter, in the unit of the points. A cloud of coinciding points lands in the
            middle of the grid, also with eps 0.

    Returns:
        (N, 3, P) grid coordinates without gradient, in float32 at least, for `avg_voxelize` and
        `trilinear_devoxelize`. Half precision would put a point up to R / 2,048 voxels away from its place.

    Raises:
        ValueError: points is not (N, 3, P), holds NaN or infinity, resolution is not positive, or eps is negative.
        TypeError: points are not real.
    """
    _check_points("points", points)
    resolution = whole("resolution", resolution)
    _check_resolution(resolution, points.shape[0])
    if not points.is_floating_point():
        raise TypeError(f"points must be real, got {points.dtype}")
    if not 0 <= eps < inf:
        raise ValueError(f"eps must not be negative, nor NaN or infinite, got {eps}")
    points = points.detach()
    if not points.numel():
        return points.clone()
    if not points.is_meta and not points.isfinite().all():
        raise ValueError("points hold NaN or infinity: drop such points before they are voxelized")
    dtype = torch.promote_types(points.dtype, torch.float32)
    points, unit = _to_unit(points.to(dtype))
    centred, smaller = _to_unit(points - points.mean(2, keepdim=True))
    squared = centred.square().sum(1, keepdim=True)  # (N, 1, P); `norm` is slow here
    farthest = squared.amax(2, keepdim=True)  # (N, 1, 1)
    diameter = 2 * farthest.sqrt() + eps * unit * smaller
    scaled = torch.where(diameter > 0, centred / diameter, 0.0)
    return ((scaled + 0.5) * resolution).clamp(0, resolution - 1)


def _to_unit(points: Tensor) -> tuple[Tensor, Tensor]:
    """Clouds (N, 3, P) times a power of two each, (N, 1, 1), after which no square over- or underflows."""
    power = unit_power(largest_of(points))
    return points * power, power


def avg_voxelize(features: Tensor, coords: Tensor, resolution: int) -> Tensor:
    """Average the features of the points in each voxel.

    Args:
        features: (N, C, P), real. Fastest where a point's features are contiguous, as in the result of
            `trilinear_devoxelize`.
        coords: (N, 3, P), x, y and z in [0, R − 1]; reals are rounded, halves to even.
        resolution: R.

    Returns:
        (N, C, R, R, R), in channels_last_3d, differentiable in features. Empty voxels are 0.

    Raises:
        ValueError: shapes do not fit, or a coordinate is NaN or outside of the grid.
        TypeError: features are not real, or on another device than coords.
    """
    _check_pair("features", features, 3, "(N, C, P)", coords)
    n, channels, points = features.shape
    resolution = whole("resolution", resolution)
    _check_resolution(resolution, n)
    if coords.shape[2] != points:
        raise ValueError(f"features hold {points} points, coords {coords.shape[2]}")
    index = _nearest(coords.detach(), resolution).flatten()  # (N·P,)
    rows = features.transpose(1, 2).reshape(n * points, channels)
    mean = mean_of_rows(rows, index, n * resolution**3)  # (N·R³, C)
    return mean.view(n, resolution, resolution, resolution, channels).permute(0, 4, 1, 2, 3)


def trilinear_devoxelize(voxels: Tensor, coords: Tensor) -> Tensor:
    """Interpolate the grid at the points, from the eight voxels around each.

    Equals `grid_sample(mode='bilinear', align_corners=True)` of a 3D grid.

    Args:
        voxels: (N, C, R, R, R), real. Fastest in channels_last_3d; another format is copied.
        coords: (N, 3, P), x, y and z in [0, R − 1].

    Returns:
        (N, C, P), differentiable in voxels, with the features of a point contiguous.

    Raises:
        ValueError: shapes do not fit, or a coordinate is NaN or outside of the grid.
        TypeError: voxels are not real, or on another device than coords.
    """
    _check_pair("voxels", voxels, 5, "(N, C, R, R, R)", coords)
    n, channels, resolution = voxels.shape[:3]
    if voxels.shape[2:] != (resolution,) * 3:
        raise ValueError(f"voxels must be (N, C, R, R, R), got {tuple(voxels.shape)}")
    _check_resolution(resolution, n)
    coords = coords.detach()
    if voxels.dtype is torch.float64 or not coords.is_floating_point():
        coords = coords.to(torch.promote_types(voxels.dtype, torch.float32))
    index, weight = _corners(coords, resolution)  # (N·P, 8) each
    rows = voxels.permute(0, 2, 3, 4, 1).reshape(n * resolution**3, channels)
    return weighted_gather(rows, index, weight).view(n, coords.shape[2], channels).transpose(1, 2)


# ---------------------------------------------------------------------------------------------- checks


def _check_points(name: str, points: Tensor) -> None:
    if points.ndim != 3 or points.shape[1] != 3:
        raise ValueError(f"{name} must be (N, 3, P), got {tuple(points.shape)}")
    check_numbers(name, points)


def _check_resolution(resolution: int, n: int) -> None:
    if resolution < 1:
        raise ValueError(f"resolution must be at least 1, got {resolution}")
    if n * resolution**3 >= 2**31:
        raise ValueError(f"{n} grids of {resolution}³ voxels are more than the 2³¹ that an index can count")


def _check_pair(name: str, x: Tensor, ndim: int, shape: str, coords: Tensor) -> None:
    _check_points("coords", coords)
    if x.ndim != ndim:
        raise ValueError(f"{name} must be {shape}, got {tuple(x.shape)}")
    if x.shape[0] != coords.shape[0]:
        raise ValueError(f"{name} are a batch of {x.shape[0]}, coords of {coords.shape[0]}")
    if not x.is_floating_point():
        raise TypeError(f"{name} must be real, got {x.dtype}")
    if x.device != coords.device:
        raise TypeError(f"{name} are on {x.device}, coords on {coords.device}")


def _check_inside(coords: Tensor, resolution: int) -> None:
    """One reduction and, on a GPU, one wait for it; NaN passes through both ends of aminmax."""
    if not coords.numel():
        return
    low, high = torch.stack(coords.aminmax()).tolist()
    if not (low >= 0 and high <= resolution - 1):
        raise ValueError(
            f"coords must lie in [0, {resolution - 1}] for resolution {resolution}, got {low:g} to {high:g}; "
            "see normalize_to_grid"
        )


# --------------------------------------------------------------------------- from coordinates to voxels


@torch.library.custom_op("efficientlab::nearest_voxel", mutates_args=())
def _nearest(coords: Tensor, resolution: int) -> Tensor:
    """(N, P) int32: the voxel of each point, counted through the batch, (x · R + y) · R + z in a grid."""
    _check_inside(coords, resolution)
    x, y, z = coords.round().int().unbind(1)  # (N, P)
    return ((_batch(coords) * resolution + x) * resolution + y) * resolution + z


def _batch(coords: Tensor) -> Tensor:
    """(N, 1) int32."""
    return torch.arange(coords.shape[0], dtype=torch.int32, device=coords.device)[:, None]


@torch.library.custom_op("efficientlab::trilinear_corners", mutates_args=())
def _corners(coords: Tensor, resolution: int) -> tuple[Tensor, Tensor]:
    """(N·P, 8) each: the voxels around each point, z fastest, and their weights."""
    _check_inside(coords, resolution)
    return (_corners_triton if use_triton(coords) else _corners_torch)(coords, resolution)


def _corners_torch(coords: Tensor, resolution: int) -> tuple[Tensor, Tensor]:
    coords = coords.to(torch.promote_types(coords.dtype, torch.float32))
    lower = coords.floor()
    above = coords - lower  # (N, 3, P), the weight of the upper neighbour
    low = lower.int()
    high = low + (above > 0)  # a point on a voxel needs no neighbour, which may not exist
    (x0, y0, z0), (x1, y1, z1) = low.unbind(1), high.unbind(1)  # (N, P) each
    (u1, v1, w1), (u0, v0, w0) = above.unbind(1), (1 - above).unbind(1)
    start = _batch(coords) * resolution
    columns, shares = [], []  # eight (N, P), in planes: far faster than eight neighbours at a time
    for x, u in ((x0, u0), (x1, u1)):
        plane = (start + x) * resolution
        for y, v in ((y0, v0), (y1, v1)):
            line, share = (plane + y) * resolution, u * v
            columns += [line + z0, line + z1]
            shares += [share * w0, share * w1]
    return torch.stack(columns, -1).flatten(0, 1), torch.stack(shares, -1).flatten(0, 1)


def _corners_triton(coords: Tensor, resolution: int) -> tuple[Tensor, Tensor]:
    n, _, points = coords.shape
    weight = torch.promote_types(coords.dtype, torch.float32)
    index = torch.empty(n * points, 8, dtype=torch.int32, device=coords.device)
    share = torch.empty(n * points, 8, dtype=weight, device=coords.device)
    if n * points:
        grid = (-(-n * points // _BLOCK),)
        _corners_kernel[grid](coords.contiguous(), index, share, n * points, points, resolution, BLOCK=_BLOCK)
    return index, share


_BLOCK = 128


@kernel
def _corners_kernel(
    coords: tl.tensor,
    index: tl.tensor,
    share: tl.tensor,
    total: tl.tensor,
    points: tl.tensor,
    resolution: tl.tensor,
    BLOCK: tl.constexpr,
) -> None:
    """Eight corners of BLOCK points; bit 2, 1 and 0 of a corner choose its upper neighbour in x, y and z."""
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    corner = tl.arange(0, 8)[None, :]
    inside = i < total
    batch = i // points
    place = coords + batch.to(tl.int64) * 3 * points + i % points
    voxel = batch[:, None] + tl.zeros((BLOCK, 8), tl.int32)
    weight = tl.full((BLOCK, 8), 1, share.dtype.element_ty)
    for axis in tl.static_range(3):
        at = tl.load(place + axis * points, mask=inside, other=0.0).to(share.dtype.element_ty)
        lower = tl.floor(at)
        above = (at - lower)[:, None]
        upper = ((corner >> (2 - axis)) & 1) == 1
        voxel = voxel * resolution + lower.to(tl.int32)[:, None] + (upper & (above > 0)).to(tl.int32)
        weight *= tl.where(upper, above, 1 - above)
    to = i.to(tl.int64)[:, None] * 8 + corner
    tl.store(index + to, voxel, mask=inside[:, None])
    tl.store(share + to, weight, mask=inside[:, None])


@_nearest.register_fake
def _(coords: Tensor, resolution: int) -> Tensor:
    return coords.new_empty(coords.shape[0], coords.shape[2], dtype=torch.int32)


@_corners.register_fake
def _(coords: Tensor, resolution: int) -> tuple[Tensor, Tensor]:
    index = coords.new_empty(coords.shape[0] * coords.shape[2], 8, dtype=torch.int32)
    return index, torch.empty_like(index, dtype=torch.promote_types(coords.dtype, torch.float32))


register_cost(_nearest, moved=lambda coords, resolution, out: nbytes(coords, out))
register_cost(_corners, moved=lambda coords, resolution, out: nbytes(coords, *out))
