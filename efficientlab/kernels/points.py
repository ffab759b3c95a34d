"""Points without a grid: sample, find neighbours, group. The operations of PointNet++.

    farthest_point_sample: s[0] = 0,  s[m] = argmax_p min_{j<m} ‖x[p] − x[s[j]]‖²
    ball_query:            the first K points p with ‖x[p] − c‖² < r²
    knn:                   the K points with the smallest ‖x[p] − c‖²
    group:                 y[:, m, k] = f[:, i[m, k]]

Of several equal candidates the one with the lowest index is taken, everywhere. The first three choose indices
and have no gradient; grouping has.

Qi, Yi, Su and Guibas, "PointNet++: Deep Hierarchical Feature Learning on Point Sets in a Metric Space"
(NeurIPS 2017).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from .backend import kernel, nbytes, register_cost, use_triton
from .gather import weighted_gather
from .sparse_map import flat_nonzero

if TYPE_CHECKING:
    import triton.language as tl


def farthest_point_sample(points: Tensor, n_samples: int) -> Tensor:
    """Choose points that cover the cloud: each next one is the farthest from those chosen before.

    Args:
        points: (N, 3, P), real.
        n_samples: M ≤ P.

    Returns:
        (N, M) int64, indices of points, the first of them 0.

    Raises:
        ValueError: points is not (N, 3, P) or holds NaN or infinity, or M is not in [1, P].
        TypeError: points are not real.
    """
    _check_points("points", points)
    if not 1 <= n_samples <= points.shape[2]:
        raise ValueError(
            f"n_samples must be in [1, {points.shape[2]}], the points of a cloud, got {n_samples}"
        )
    return _sample(points.detach(), n_samples)


def ball_query(points: Tensor, centres: Tensor, radius: float, n_neighbours: int) -> Tensor:
    """The first K points within a ball around each centre.

    Args:
        points: (N, 3, P), real.
        centres: (N, 3, M).
        radius: r, in the unit of the points; a point at this distance is outside.
        n_neighbours: K.

    Returns:
        (N, M, K) int64, ascending. A ball with fewer points repeats its first; an empty one gives 0.

    Raises:
        ValueError: points or centres is not (N, 3, …) or holds NaN or infinity, there is no point, or K or r is
            not positive.
        TypeError: points and centres are not of one real dtype on one device.
    """
    _check_pair(points, centres)
    if n_neighbours < 1 or not radius > 0:
        raise ValueError(f"n_neighbours and radius must be positive, got {n_neighbours} and {radius}")
    return _ball(points.detach(), centres.detach(), radius, n_neighbours)


def knn(points: Tensor, centres: Tensor, n_neighbours: int) -> tuple[Tensor, Tensor]:
    """The K nearest points of each centre.

    Args:
        points: (N, 3, P), real.
        centres: (N, 3, M).
        n_neighbours: K ≤ P.

    Returns:
        index: (N, M, K) int64, nearest first.
        squared distance: (N, M, K), without gradient.

    Raises:
        ValueError: points or centres is not (N, 3, …) or holds NaN or infinity, or K is not in [1, P].
        TypeError: points and centres are not of one real dtype on one device.
    """
    _check_pair(points, centres)
    if not 1 <= n_neighbours <= points.shape[2]:
        raise ValueError(f"n_neighbours must be in [1, {points.shape[2]}], the points, got {n_neighbours}")
    return _nearest(points.detach(), centres.detach(), n_neighbours)


def group(features: Tensor, index: Tensor) -> Tensor:
    """Gather the features of each group's points.

    Args:
        features: (N, C, P), real. Fastest where a point's features are contiguous.
        index: (N, M, K) or (N, M), integers in [0, P).

    Returns:
        (N, C, M, K) or (N, C, M), differentiable in features, with the features of a point contiguous.

    Raises:
        ValueError: shapes do not fit, or an index is out of range.
        TypeError: features are not real, index holds no integers, or they are on different devices.
    """
    if features.ndim != 3 or index.ndim not in {2, 3} or len(features) != len(index):
        raise ValueError(
            f"features must be (N, C, P) and index (N, M, K) or (N, M), "
            f"got {tuple(features.shape)} and {tuple(index.shape)}"
        )
    if not features.is_floating_point() or index.is_floating_point():
        raise TypeError(f"features must be real and index integers, got {features.dtype} and {index.dtype}")
    if features.device != index.device:
        raise TypeError(f"features are on {features.device}, index on {index.device}")
    n, channels, points = features.shape
    rows = features.transpose(1, 2).reshape(n * points, channels)
    gathered = weighted_gather(rows, _batched_rows(index, points)[:, None], None)
    return gathered.view(*index.shape, channels).movedim(-1, 1)


# ---------------------------------------------------------------------------------------------- checks


def _check_points(name: str, points: Tensor) -> None:
    if points.ndim != 3 or points.shape[1] != 3:
        raise ValueError(f"{name} must be (N, 3, P), got {tuple(points.shape)}")
    if not points.is_floating_point():
        raise TypeError(f"{name} must be real, got {points.dtype}")


def _check_pair(points: Tensor, centres: Tensor) -> None:
    _check_points("points", points)
    _check_points("centres", centres)
    if len(points) != len(centres):
        raise ValueError(f"points are a batch of {len(points)}, centres of {len(centres)}")
    if not points.shape[2]:
        raise ValueError("there is no point to find")
    if points.dtype != centres.dtype or points.device != centres.device:
        raise TypeError(
            f"points are {points.dtype} on {points.device}, centres {centres.dtype} on {centres.device}"
        )


def _check_finite(**clouds: Tensor) -> None:
    for name, cloud in clouds.items():
        if not cloud.isfinite().all():
            raise ValueError(f"{name} hold NaN or infinity, which are near to nothing")


# --------------------------------------------------------------------------------------------- the ops


@torch.library.custom_op("efficientlab::farthest_point_sample", mutates_args=())
def _sample(points: Tensor, n_samples: int) -> Tensor:
    _check_finite(points=points)
    points = _at_least_float32(points)
    in_registers = points.shape[2] <= _MOST_POINTS
    return (_sample_triton if use_triton(points) and in_registers else _sample_torch)(points, n_samples)


@torch.library.custom_op("efficientlab::ball_query", mutates_args=())
def _ball(points: Tensor, centres: Tensor, radius: float, n_neighbours: int) -> Tensor:
    _check_finite(points=points, centres=centres)
    points, centres = _at_least_float32(points), _at_least_float32(centres)
    return (_ball_triton if use_triton(points) else _ball_torch)(points, centres, radius**2, n_neighbours)


@torch.library.custom_op("efficientlab::knn", mutates_args=())
def _nearest(points: Tensor, centres: Tensor, n_neighbours: int) -> tuple[Tensor, Tensor]:
    _check_finite(points=points, centres=centres)
    points, centres = _at_least_float32(points), _at_least_float32(centres)
    return (_nearest_triton if use_triton(points) else _nearest_torch)(points, centres, n_neighbours)


@torch.library.custom_op("efficientlab::batched_rows", mutates_args=())
def _batched_rows(index: Tensor, points: int) -> Tensor:
    """(N · M · K,) int32: index into the rows of a batch of clouds with as many points each."""
    if index.numel():
        low, high = torch.stack(index.aminmax()).tolist()
        if low < 0 or high >= points:
            raise ValueError(f"index must be in [0, {points}), the points of a cloud, got {low} to {high}")
    start = torch.arange(len(index), dtype=torch.int32, device=index.device) * points
    return (index.int() + start.view(-1, *[1] * (index.ndim - 1))).flatten()


def _at_least_float32(points: Tensor) -> Tensor:
    return points.to(torch.promote_types(points.dtype, torch.float32)).contiguous()


def _sample_torch(points: Tensor, n_samples: int) -> Tensor:
    n, _, p = points.shape
    chosen = torch.zeros(n, n_samples, dtype=torch.int64, device=points.device)
    gap = points.new_full((n, p), torch.inf)  # squared distance to the nearest chosen point
    for m in range(1, n_samples):
        last = chosen[:, m - 1, None, None].expand(-1, 3, 1)
        distance = (points - points.gather(2, last)).square_().sum(1)  # (N, P)
        torch.minimum(gap, distance, out=gap)
        chosen[:, m] = gap.argmax(1)
    return chosen


def _ball_torch(points: Tensor, centres: Tensor, squared: float, n_neighbours: int) -> Tensor:
    n, _, m = centres.shape
    found = torch.zeros(n * m, n_neighbours, dtype=torch.int64, device=points.device)
    for rows, distance in _distances(points, centres):
        hit = distance < squared  # (rows, P)
        place = flat_nonzero(hit.flatten())  # ascending: by centre, then by point
        centre, point = place // hit.shape[1], place % hit.shape[1]
        ends = torch.bincount(centre, minlength=len(hit)).cumsum(0)
        rank = (
            torch.arange(len(place), device=place.device) - (ends - ends.diff(prepend=ends[:1] * 0))[centre]
        )
        part = found[rows]
        part += hit.byte().argmax(1, keepdim=True)  # the first, as padding
        kept = rank < n_neighbours
        part[centre[kept], rank[kept]] = point[kept]
    return found.view(n, m, n_neighbours)


def _nearest_torch(points: Tensor, centres: Tensor, n_neighbours: int) -> tuple[Tensor, Tensor]:
    n, _, m = centres.shape
    parts = []
    for _, distance in _distances(points, centres):
        one_more = min(n_neighbours + 1, distance.shape[1])
        near, index = distance.topk(one_more, largest=False)  # of equal distances, any
        tied = flat_nonzero((near[:, 1:] == near[:, :-1]).any(1))
        index = index[:, :n_neighbours].contiguous()
        index[tied] = _first_nearest(distance[tied], n_neighbours)
        parts.append(index)
    if not parts:
        parts = [torch.empty(0, n_neighbours, dtype=torch.int64, device=points.device)]
    index = torch.cat(parts).view(n, m, n_neighbours)
    near = points.gather(2, index.flatten(1)[:, None].expand(-1, 3, -1)).view(n, 3, m, n_neighbours)
    return index, (near - centres[..., None]).square_().sum(1)


def _first_nearest(distance: Tensor, n_neighbours: int) -> Tensor:
    """(rows, K): the nearest of each row; of equally near points, the first."""
    if distance.dtype is not torch.float32:
        return distance.sort(stable=True)[1][:, :n_neighbours]
    # the bits of positive floats ascend with them, and leave room for the index
    key = distance.view(torch.int32).long() << 32 | torch.arange(distance.shape[1], device=distance.device)
    return key.topk(n_neighbours, largest=False)[0] & 0xFFFFFFFF


def _distances(points: Tensor, centres: Tensor) -> Iterator[tuple[slice, Tensor]]:
    """Squared distances (rows, P) of a few centres at a time, and which of the N · M centres they are."""
    n, _, m = centres.shape
    step = max(1, 2**20 // points.shape[2])
    for i in range(n):
        for start in range(0, m, step):
            some = centres[i, :, start : start + step]  # (3, rows)
            distance = points.new_zeros(some.shape[1], points.shape[2])
            for centre, point in zip(some, points[i], strict=True):  # x, y, z
                gap = centre[:, None] - point  # (rows, P)
                distance.addcmul_(gap, gap)
            yield slice(i * m + start, i * m + start + some.shape[1]), distance


# -------------------------------------------------------------------------------------- Triton kernels

_MOST_POINTS = 8192  # of a cloud, that one program can keep in registers


def _sample_triton(points: Tensor, n_samples: int) -> Tensor:
    n, _, p = points.shape
    chosen = torch.empty(n, n_samples, dtype=torch.int64, device=points.device)
    if n:
        block = max(32, 1 << (p - 1).bit_length())
        warps = min(32, max(1, block // 256))
        _sample_kernel[(n,)](points, chosen, p, n_samples, BLOCK=block, num_warps=warps)
    return chosen


@kernel
def _sample_kernel(
    points: tl.tensor, chosen: tl.tensor, count: tl.tensor, samples: tl.tensor, BLOCK: tl.constexpr
) -> None:
    """One program a cloud, which stays in registers."""
    points += tl.program_id(0).to(tl.int64) * 3 * count
    chosen += tl.program_id(0).to(tl.int64) * samples
    i = tl.arange(0, BLOCK)
    x = tl.load(points + i, mask=i < count, other=0.0)
    y = tl.load(points + count + i, mask=i < count, other=0.0)
    z = tl.load(points + 2 * count + i, mask=i < count, other=0.0)
    gap = tl.where(i < count, x * 0 + float("inf"), -1.0)
    last = tl.program_id(0) * 0
    for m in range(samples):
        tl.store(chosen + m, last.to(tl.int64))
        dx = x - tl.load(points + last)
        dy = y - tl.load(points + count + last)
        dz = z - tl.load(points + 2 * count + last)
        gap = tl.minimum(gap, dx * dx + dy * dy + dz * dz)
        last = tl.min(tl.where(gap == tl.max(gap, 0), i, BLOCK), 0)


def _ball_triton(points: Tensor, centres: Tensor, squared: float, n_neighbours: int) -> Tensor:
    n, _, m = centres.shape
    found = torch.empty(n, m, n_neighbours, dtype=torch.int64, device=points.device)
    if n * m:
        limit = torch.tensor(squared, dtype=points.dtype, device=points.device)
        grid = (-(-m // _CENTRES), n)
        _ball_kernel[grid](
            points, centres, limit, found, points.shape[2], m, n_neighbours, BLOCK=_CENTRES, num_warps=1
        )
    return found


_CENTRES = 32


@kernel
def _ball_kernel(
    points: tl.tensor,
    centres: tl.tensor,
    limit: tl.tensor,
    found: tl.tensor,
    count: tl.tensor,
    n_centres: tl.tensor,
    neighbours: tl.tensor,
    BLOCK: tl.constexpr,
) -> None:
    """A thread for each centre walks the points until all balls of the program are full."""
    m = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    cloud = tl.program_id(1).to(tl.int64)
    points += cloud * 3 * count
    centres += cloud * 3 * n_centres
    found += (cloud * n_centres + m) * neighbours
    some = m < n_centres
    x = tl.load(centres + m, mask=some, other=0.0)
    y = tl.load(centres + n_centres + m, mask=some, other=0.0)
    z = tl.load(centres + 2 * n_centres + m, mask=some, other=0.0)
    squared = tl.load(limit)
    full = tl.where(some, 0, neighbours)  # how many of each ball are found
    first = tl.zeros((BLOCK,), tl.int64)
    p = tl.program_id(0) * 0
    while (p < count) & (tl.min(full, 0) < neighbours):
        dx = x - tl.load(points + p)
        dy = y - tl.load(points + count + p)
        dz = z - tl.load(points + 2 * count + p)
        hit = (dx * dx + dy * dy + dz * dz < squared) & (full < neighbours)
        index = tl.zeros((BLOCK,), tl.int64) + p
        tl.store(found + full, index, mask=hit)
        first = tl.where(hit & (full == 0), index, first)
        full += hit.to(tl.int32)
        p += 1
    for k in range(neighbours):
        tl.store(found + k, first, mask=some & (k >= full))


def _nearest_triton(points: Tensor, centres: Tensor, n_neighbours: int) -> tuple[Tensor, Tensor]:
    n, _, m = centres.shape
    index = torch.empty(n, m, n_neighbours, dtype=torch.int64, device=points.device)
    distance = points.new_empty(n, m, n_neighbours)
    if n * m:
        _nearest_kernel[(m, n)](
            points, centres, index, distance, points.shape[2], m, n_neighbours, BLOCK=_POINTS
        )
    return index, distance


_POINTS = 512


@kernel
def _nearest_kernel(
    points: tl.tensor,
    centres: tl.tensor,
    index: tl.tensor,
    distance: tl.tensor,
    count: tl.tensor,
    n_centres: tl.tensor,
    neighbours: tl.tensor,
    BLOCK: tl.constexpr,
) -> None:
    """One program a centre: a pass over the points for each neighbour, behind the one found before."""
    cloud = tl.program_id(1).to(tl.int64)
    points += cloud * 3 * count
    centres += cloud * 3 * n_centres + tl.program_id(0)
    x, y, z = tl.load(centres), tl.load(centres + n_centres), tl.load(centres + 2 * n_centres)
    to = (cloud * n_centres + tl.program_id(0)) * neighbours
    least = x * 0 - 1
    last = tl.program_id(0) * 0 - 1
    for k in range(neighbours):
        near = x * 0 + float("inf")
        at = last * 0 + count
        for start in range(0, count, BLOCK):
            i = start + tl.arange(0, BLOCK)
            inside = i < count
            dx = tl.load(points + i, mask=inside, other=0.0) - x
            dy = tl.load(points + count + i, mask=inside, other=0.0) - y
            dz = tl.load(points + 2 * count + i, mask=inside, other=0.0) - z
            d = dx * dx + dy * dy + dz * dz
            behind = inside & ((d > least) | ((d == least) & (i > last)))
            d = tl.where(behind, d, float("inf"))
            nearest = tl.min(d, 0)
            place = tl.min(tl.where(behind & (d == nearest), i, count), 0)
            at = tl.where(nearest < near, place, at)
            near = tl.minimum(near, nearest)
        tl.store(index + to + k, at.to(tl.int64))
        tl.store(distance + to + k, near)
        least, last = near, at


# --------------------------------------------------------------------------------------- registration


@_sample.register_fake
def _(points: Tensor, n_samples: int) -> Tensor:
    return points.new_empty(len(points), n_samples, dtype=torch.int64)


@_ball.register_fake
def _(points: Tensor, centres: Tensor, radius: float, n_neighbours: int) -> Tensor:
    return points.new_empty(len(points), centres.shape[2], n_neighbours, dtype=torch.int64)


@_nearest.register_fake
def _(points: Tensor, centres: Tensor, n_neighbours: int) -> tuple[Tensor, Tensor]:
    shape = len(points), centres.shape[2], n_neighbours
    dtype = torch.promote_types(points.dtype, torch.float32)
    return points.new_empty(shape, dtype=torch.int64), points.new_empty(shape, dtype=dtype)


@_batched_rows.register_fake
def _(index: Tensor, points: int) -> Tensor:
    return index.new_empty(index.numel(), dtype=torch.int32)


def _sample_macs(points: Tensor, n_samples: int, out: Tensor) -> int:
    return (n_samples - 1) * points.numel()


def _pair_macs(points: Tensor, centres: Tensor, *args: Any, out: Any) -> int:
    """Three to a distance, of every centre to every point."""
    return points.numel() * centres.shape[2]


register_cost(_sample, macs=_sample_macs, moved=lambda points, n_samples, out: nbytes(points, out))
register_cost(_ball, macs=_pair_macs, moved=lambda points, centres, *args, out: nbytes(points, centres, out))
register_cost(
    _nearest, macs=_pair_macs, moved=lambda points, centres, *args, out: nbytes(points, centres, *out)
)
register_cost(_batched_rows, macs=lambda *args, out: 0, moved=lambda index, points, out: nbytes(index, out))
