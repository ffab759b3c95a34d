"""Ray casting: the first thing that rays from one point hit.

Every solid is convex, and a ray is inside it between two distances: the latest entry into the pairs of planes
(of a cylinder: into the mantle and the pair of planes) that bound it, and the earliest exit. Most rays miss most
solids, so the rays are sorted by their azimuth, and a solid is tested against those rays alone that go its way.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from efficientlab.datasets.streets.solids import Array, Ints, Solids

GROUND, NOTHING = -1, -2
_TINY = 1e-12


class Hits(NamedTuple):
    """What R rays hit first.

    Attributes:
        distance: (R,), in lengths of the ray's direction; infinite where nothing is hit.
        solid: (R,), the number of the solid, `GROUND` for the plane z = 0, or `NOTHING`.
    """

    distance: Array
    solid: Ints


def first_hits(solids: Solids, origin: Array, rays: Array) -> Hits:
    """Casts R rays (R, 3) from the point `origin` (3,), which lies in no solid."""
    down = np.minimum(rays[:, 2], -_TINY)
    distance = np.where(rays[:, 2] < 0, -origin[2] / down, np.inf)
    solid = np.where(np.isfinite(distance), GROUND, NOTHING)
    ray, target = _candidates(solids, origin, rays)
    near, far = _inside(solids, origin, rays[ray], target)
    hit = (near <= far) & (near > 0) & (near < distance[ray])
    ray, target, near = ray[hit], target[hit], near[hit]
    order = np.lexsort((target, near, ray))  # by ray, then the nearest
    ray, target, near = ray[order], target[order], near[order]
    first = np.ones(len(ray), bool)
    first[1:] = ray[1:] != ray[:-1]
    distance[ray[first]], solid[ray[first]] = near[first], target[first]
    return Hits(distance, solid.astype(np.int64))


def _candidates(solids: Solids, origin: Array, rays: Array) -> tuple[Ints, Ints]:
    """Pairs of a ray and a solid in whose sector on the plan the ray runs: two (E,)."""
    azimuth = np.arctan2(rays[:, 1], rays[:, 0])
    order = np.argsort(azimuth, kind="stable")
    low, wide = _sectors(solids, origin)
    around = azimuth[order]
    around = np.concatenate([around, around + 2 * np.pi])  # a sector may contain the seam at π
    first = np.searchsorted(around, low, side="left")
    count = np.minimum(np.searchsorted(around, low + wide, side="right") - first, len(rays))
    target = np.repeat(np.arange(len(solids)), count)
    place = np.arange(len(target)) - np.repeat(np.cumsum(count) - count, count)
    return order[(np.repeat(first, count) + place) % len(rays)], target


def _sectors(solids: Solids, origin: Array) -> tuple[Array, Array]:
    """The azimuth in [−π, π) where each solid begins as seen from the origin, and how wide it is: (S,) each."""
    x, y = (solids.centre[:, :2] - origin[:2]).T
    cosine, sine = np.cos(solids.yaw), np.sin(solids.yaw)
    direction, far = np.arctan2(y, x), np.hypot(x, y)
    corners = []
    for i, j in ((-1, -1), (-1, 1), (1, -1), (1, 1)):
        u, v = i * solids.half[:, 0], j * solids.half[:, 1]
        corner = np.arctan2(y + sine * u + cosine * v, x + cosine * u - sine * v)
        corners.append((corner - direction + np.pi) % (2 * np.pi) - np.pi)
    # Seen from within the rectangle, a solid lies on all sides.
    along, across = np.abs(cosine * x + sine * y), np.abs(cosine * y - sine * x)
    within = (along <= solids.half[:, 0] + 1e-6) & (across <= solids.half[:, 1] + 1e-6)
    angle = np.arcsin(np.minimum(solids.half[:, 0] / np.maximum(far, _TINY), 1.0))  # of a cylinder
    low = np.where(solids.round, -angle, np.min(corners, 0)) - 1e-6
    high = np.where(solids.round, angle, np.max(corners, 0)) + 1e-6
    start = (direction + low + np.pi) % (2 * np.pi) - np.pi
    return np.where(within, -np.pi, start), np.where(within, 2 * np.pi, high - low)


def _inside(solids: Solids, origin: Array, rays: Array, target: Ints) -> tuple[Array, Array]:
    """The distances at which each ray (E, 3) enters and leaves its solid: (E,) each, near > far where it misses."""
    cosine, sine = np.cos(solids.yaw), np.sin(solids.yaw)
    start = origin - solids.centre  # (S, 3)
    along = (cosine * start[:, 0] + sine * start[:, 1])[target]
    across = (cosine * start[:, 1] - sine * start[:, 0])[target]
    c, s = cosine[target], sine[target]
    u, v = c * rays[:, 0] + s * rays[:, 1], c * rays[:, 1] - s * rays[:, 0]
    half = solids.half[target]
    near, far = _slab(start[target, 2], rays[:, 2], half[:, 2])
    is_round = solids.round[target]
    for place, ray, extent in ((along, u, half[:, 0]), (across, v, half[:, 1])):
        enter, leave = _slab(place, ray, extent)
        near = np.where(is_round, near, np.maximum(near, enter))
        far = np.where(is_round, far, np.minimum(far, leave))
    which = np.flatnonzero(is_round)
    enter, leave = _mantle(along[which], across[which], u[which], v[which], half[which, 0])
    near[which], far[which] = np.maximum(near[which], enter), np.minimum(far[which], leave)
    return near, far


def _slab(place: Array, ray: Array, extent: Array) -> tuple[Array, Array]:
    """Between the planes at ±extent, with place + t · ray."""
    safe = np.where(np.abs(ray) < _TINY, _TINY, ray)
    a, b = (-extent - place) / safe, (extent - place) / safe
    return np.minimum(a, b), np.maximum(a, b)


def _mantle(x: Array, y: Array, u: Array, v: Array, radius: Array) -> tuple[Array, Array]:
    """Within a circle on the plan: |(x, y) + t (u, v)| ≤ radius."""
    square = np.maximum(u * u + v * v, _TINY)
    middle = -(x * u + y * v) / square
    rest = middle**2 - (x * x + y * y - radius**2) / square
    reach = np.sqrt(np.maximum(rest, 0.0))
    missed = rest < 0
    return np.where(missed, np.inf, middle - reach), np.where(missed, -np.inf, middle + reach)


def normals(solids: Solids, hits: Hits, points: NDArray[np.float64]) -> Array:
    """(R, 3): the outward normal where a ray met its solid; up for the ground, 0 where there is nothing."""
    found = np.zeros((len(points), 3))
    found[hits.solid == GROUND, 2] = 1.0
    rows = np.flatnonzero(hits.solid >= 0)
    which = hits.solid[rows]
    cosine, sine = np.cos(solids.yaw[which]), np.sin(solids.yaw[which])
    x, y, z = (points[rows] - solids.centre[which]).T
    half = solids.half[which]
    own = np.stack([cosine * x + sine * y, cosine * y - sine * x, z], 1)
    share = own / half  # ±1 on the face that was met
    radial = np.hypot(share[:, 0], share[:, 1])
    top = np.where(solids.round[which], np.abs(share[:, 2]) >= radial, False)
    axis = np.abs(share).argmax(1)
    local = np.zeros_like(own)
    local[np.arange(len(rows)), axis] = np.sign(share[np.arange(len(rows)), axis])
    mantle = solids.round[which] & ~top
    local[mantle] = np.stack([share[mantle, 0], share[mantle, 1], np.zeros(mantle.sum())], 1)
    local[mantle] /= np.maximum(radial[mantle, None], _TINY)
    local[top] = np.stack([np.zeros(top.sum()), np.zeros(top.sum()), np.sign(share[top, 2])], 1)
    found[rows] = np.stack(
        [cosine * local[:, 0] - sine * local[:, 1], sine * local[:, 0] + cosine * local[:, 1], local[:, 2]], 1
    )
    return found
