"""Neighbours of centres among the points of a cloud.

    ball_query: the first K points p with ‖x[p] − c‖² < r²
    knn:        the K points with the smallest ‖x[p] − c‖²

Of equally near points the first is taken. Qi et al., "PointNet++" (NeurIPS 2017).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from efficientlab.kernels.backend import flat_nonzero, kernel, nbytes, register_cost, use_triton, whole
from efficientlab.kernels.points.group import check_pair, to_unit

if TYPE_CHECKING:
    import triton.language as tl


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
        TypeError: points and centres are not of one real dtype on one device, or K is no whole number.
    """
    check_pair(points, centres)
    n_neighbours = whole("n_neighbours", n_neighbours)
    try:
        radius = float(radius + 0.0)  # not of a text
    except (TypeError, ValueError):
        raise TypeError(f"radius must be a number, got {radius!r}") from None
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
        TypeError: points and centres are not of one real dtype on one device, or K is no whole number.
    """
    check_pair(points, centres)
    n_neighbours = whole("n_neighbours", n_neighbours)
    if not 1 <= n_neighbours <= points.shape[2]:
        raise ValueError(f"n_neighbours must be in [1, {points.shape[2]}], the points, got {n_neighbours}")
    return _nearest(points.detach(), centres.detach(), n_neighbours)


# --------------------------------------------------------------------------------------------- the ops


@torch.library.custom_op("efficientlab::ball_query", mutates_args=())
def _ball(points: Tensor, centres: Tensor, radius: float, n_neighbours: int) -> Tensor:
    (points, centres), power = to_unit(points=points, centres=centres)
    reach = points.new_full((len(points),), radius, dtype=torch.float64)
    squared = (reach if power is None else reach * power.flatten()).square().to(points.dtype)
    return (_ball_triton if use_triton(points) else _ball_torch)(points, centres, squared, n_neighbours)


@torch.library.custom_op("efficientlab::knn", mutates_args=())
def _nearest(points: Tensor, centres: Tensor, n_neighbours: int) -> tuple[Tensor, Tensor]:
    (points, centres), power = to_unit(points=points, centres=centres)
    find = _nearest_triton if use_triton(points) else _nearest_torch
    index, squared = find(points, centres, n_neighbours)
    return index, squared if power is None else squared / power / power


def _ball_torch(points: Tensor, centres: Tensor, squared: Tensor, n_neighbours: int) -> Tensor:
    n, _, m = centres.shape
    found = torch.zeros(n * m, n_neighbours, dtype=torch.int64, device=points.device)
    limits = squared.tolist()
    for rows, distance in _distances(points, centres):
        hit = distance < limits[rows.start // m]  # (rows, P), of one cloud
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
        index, tied = _any_nearest(distance, n_neighbours)
        index[tied] = _first_nearest(distance[tied], n_neighbours)
        parts.append(index)
    if not parts:
        parts = [torch.empty(0, n_neighbours, dtype=torch.int64, device=points.device)]
    index = torch.cat(parts).view(n, m, n_neighbours)
    near = points.gather(2, index.flatten(1)[:, None].expand(-1, 3, -1)).view(n, 3, m, n_neighbours)
    return index, (near - centres[..., None]).square_().sum(1)


def _any_nearest(distance: Tensor, n_neighbours: int) -> tuple[Tensor, Tensor]:
    """(rows, K): the nearest of each row, of equally near points any; and the rows in which there are such points."""
    points = distance.shape[1]
    if 64 * n_neighbours <= points < 64 * (n_neighbours + 1):  # torch would sort all for one neighbour more
        near, index = distance.topk(n_neighbours, largest=False)
        # zeros and ones of the distances' dtype: they sum several times faster than bools
        as_near = torch.le(distance, near[:, -1:], out=torch.empty_like(distance))
        more = as_near.sum(1) > n_neighbours
        return index, flat_nonzero((near[:, 1:] == near[:, :-1]).any(1) | more)
    near, index = distance.topk(min(n_neighbours + 1, points), largest=False)
    return index[:, :n_neighbours].contiguous(), flat_nonzero((near[:, 1:] == near[:, :-1]).any(1))


def _first_nearest(distance: Tensor, n_neighbours: int) -> Tensor:
    """(rows, K): the nearest of each row; of equally near points, the first."""
    if distance.dtype is not torch.float32:
        return distance.sort(stable=True)[1][:, :n_neighbours]
    # the bits of positive floats ascend with them, and leave room for the index
    key = distance.view(torch.int32).long() << 32 | torch.arange(distance.shape[1], device=distance.device)
    return key.topk(n_neighbours, largest=False)[0] & 0xFFFFFFFF


_AT_ONCE = 2**18  # distances: a megabyte, which stays in the cache and comes from memory that was used before


def _distances(points: Tensor, centres: Tensor) -> Iterator[tuple[slice, Tensor]]:
    """Squared distances (rows, P) of a few centres at a time, and which of the N · M centres they are."""
    n, _, m = centres.shape
    step = max(1, _AT_ONCE // points.shape[2])
    for i in range(n):
        for start in range(0, m, step):
            some = centres[i, :, start : start + step]  # (3, rows)
            distance = points.new_zeros(some.shape[1], points.shape[2])
            for centre, point in zip(some, points[i], strict=True):  # x, y, z
                gap = centre[:, None] - point  # (rows, P)
                distance.addcmul_(gap, gap)
            yield slice(i * m + start, i * m + start + some.shape[1]), distance


# -------------------------------------------------------------------------------------- Triton kernels


def _ball_triton(points: Tensor, centres: Tensor, squared: Tensor, n_neighbours: int) -> Tensor:
    n, _, m = centres.shape
    found = torch.empty(n, m, n_neighbours, dtype=torch.int64, device=points.device)
    if n * m:
        grid = (-(-m // _CENTRES), n)
        _ball_kernel[grid](
            points, centres, squared, found, points.shape[2], m, n_neighbours, BLOCK=_CENTRES, num_warps=1
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
    squared = tl.load(limit + cloud)
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


@_ball.register_fake
def _(points: Tensor, centres: Tensor, radius: float, n_neighbours: int) -> Tensor:
    return points.new_empty(len(points), centres.shape[2], n_neighbours, dtype=torch.int64)


@_nearest.register_fake
def _(points: Tensor, centres: Tensor, n_neighbours: int) -> tuple[Tensor, Tensor]:
    shape = len(points), centres.shape[2], n_neighbours
    dtype = torch.promote_types(points.dtype, torch.float32)
    return points.new_empty(shape, dtype=torch.int64), points.new_empty(shape, dtype=dtype)


def _pair_macs(points: Tensor, centres: Tensor, *args: Any, out: Any) -> int:
    """Three to a distance, of every centre to every point."""
    return points.numel() * centres.shape[2]


register_cost(_ball, macs=_pair_macs, moved=lambda points, centres, *args, out: nbytes(points, centres, out))
register_cost(
    _nearest, macs=_pair_macs, moved=lambda points, centres, *args, out: nbytes(points, centres, *out)
)
