"""Parametric surfaces that points can be drawn from, uniformly by area and with exact outward normals.

Each surface stands in a frame of its own, centred at the origin with z as its axis; `Placed` puts it into an
object. Lengths are in any one unit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class Surface(Protocol):
    """What `sample_surfaces` draws from."""

    @property
    def area(self) -> float: ...

    def sample(self, n: int, rng: np.random.Generator) -> tuple[Array, Array]:
        """n points (n, 3), uniform by area, and their unit normals (n, 3)."""
        ...


@dataclass(frozen=True)
class Box:
    """The six faces of a box with edges x, y and z."""

    x: float
    y: float
    z: float

    @property
    def area(self) -> float:
        return 2 * (self.x * self.y + self.y * self.z + self.z * self.x)

    def sample(self, n: int, rng: np.random.Generator) -> tuple[Array, Array]:
        size = np.array([self.x, self.y, self.z])
        face = np.array([self.y * self.z, self.z * self.x, self.x * self.y])  # by the axis they are normal to
        axis = np.searchsorted(face.cumsum()[:2], rng.random(n) * face.sum(), side="right")
        side = rng.choice((-1.0, 1.0), n)
        points = (rng.random((n, 3)) - 0.5) * size
        normals = np.zeros((n, 3))
        rows = np.arange(n)
        points[rows, axis] = side * size[axis] / 2
        normals[rows, axis] = side
        return points, normals


@dataclass(frozen=True)
class Frustum:
    """A cone cut off: radius `bottom` at z = −height / 2, `top` at height / 2; `closed` adds the two discs.

    With equal radii a cylinder or tube, with one radius 0 a cone, with height 0 and one radius 0 a disc.
    """

    bottom: float
    top: float
    height: float
    closed: bool = True

    @property
    def _areas(self) -> tuple[float, float, float]:
        """Of the side, the bottom and the top."""
        slant = math.hypot(self.height, self.bottom - self.top)
        side = math.pi * (self.bottom + self.top) * slant
        return side, math.pi * self.bottom**2 * self.closed, math.pi * self.top**2 * self.closed

    @property
    def area(self) -> float:
        return sum(self._areas)

    def sample(self, n: int, rng: np.random.Generator) -> tuple[Array, Array]:
        side, bottom, _ = self._areas
        u = rng.random((3, n))
        where = u[0] * self.area
        on_side, on_bottom = where < side, (where >= side) & (where < side + bottom)
        # The area up to radius r is in proportion to r² − bottom² on the side, and to r² on a disc.
        across = np.sqrt(self.bottom**2 + u[1] * (self.top**2 - self.bottom**2))
        spread = self.top - self.bottom
        # 0 at the bottom, 1 at the top
        along = (across - self.bottom) / spread if abs(spread) > 1e-9 else u[1]
        radius = np.where(on_side, across, np.sqrt(u[1]) * np.where(on_bottom, self.bottom, self.top))
        z = self.height * (np.where(on_side, along, np.where(on_bottom, 0.0, 1.0)) - 0.5)
        angle = 2 * np.pi * u[2]
        cosine, sine = np.cos(angle), np.sin(angle)
        slant = math.hypot(self.height, spread)
        outward = np.where(on_side, self.height / slant, 0.0)
        upward = np.where(on_side, -spread / slant, np.where(on_bottom, -1.0, 1.0))
        points = np.stack([radius * cosine, radius * sine, z], 1)
        return points, np.stack([outward * cosine, outward * sine, upward], 1)


@dataclass(frozen=True)
class Ellipsoid:
    """The surface (x/a)² + (y/b)² + (z/c)² = 1."""

    a: float
    b: float
    c: float

    @property
    def area(self) -> float:
        """By Thomsen's formula, with p = 1.6075: within 1.1 %, and exact for a sphere."""
        a, b, c = (r**1.6075 for r in (self.a, self.b, self.c))
        return float(4 * math.pi * ((a * b + b * c + c * a) / 3) ** (1 / 1.6075))

    def sample(self, n: int, rng: np.random.Generator) -> tuple[Array, Array]:
        size = np.array([self.a, self.b, self.c])
        found = np.empty((0, 3))
        while len(found) < n:
            # A sphere, stretched; a place is kept with the probability by which the stretching enlarged its area.
            ball = rng.standard_normal((2 * n + 8, 3))
            ball /= np.linalg.norm(ball, axis=1, keepdims=True)
            enlarged = np.linalg.norm(ball / size, axis=1) * size.min()
            found = np.concatenate([found, ball[rng.random(len(ball)) < enlarged]])
        ball = found[:n]
        normals = ball / size
        return ball * size, normals / np.linalg.norm(normals, axis=1, keepdims=True)


@dataclass(frozen=True)
class Torus:
    """A tube of radius `tube` around an arc of a circle of radius `ring` in the plane of x and y.

    The arc begins at the x axis and goes `arc` radians about z; it has no end caps.
    """

    ring: float
    tube: float
    arc: float = 2 * math.pi

    @property
    def area(self) -> float:
        return self.arc * self.ring * 2 * math.pi * self.tube

    def sample(self, n: int, rng: np.random.Generator) -> tuple[Array, Array]:
        u = rng.random((3, n))
        around = 2 * np.pi * u[0]
        # Density 1 + (tube/ring) · cos: an angle that is refused moves to the other side, where it is missing.
        keep = 2 * u[1] < 1 + self.tube / self.ring * np.cos(around)
        around = np.where(keep, around, around + np.pi)
        along = self.arc * u[2]
        cosine, sine, out = np.cos(along), np.sin(along), np.cos(around)
        normals = np.stack([out * cosine, out * sine, np.sin(around)], 1)
        ring = self.ring * np.stack([cosine, sine, np.zeros(n)], 1)
        return ring + self.tube * normals, normals


def rotation(axis: str, angle: float) -> Array:
    """(3, 3): turns column vectors by `angle` radians about "x", "y" or "z", counterclockwise seen from its tip."""
    i = "xyz".index(axis)
    j, k = (i + 1) % 3, (i + 2) % 3
    matrix = np.eye(3)
    matrix[[j, k], [j, k]] = math.cos(angle)
    matrix[k, j], matrix[j, k] = math.sin(angle), -math.sin(angle)
    return matrix


@dataclass(frozen=True)
class Placed:
    """A surface in its object: turned by the matrix `turn`, moved to `at`, part of `part`."""

    part: str
    surface: Surface
    at: tuple[float, float, float]
    turn: Array | None = None


def sample_surfaces(
    placed: Sequence[Placed], n: int, rng: np.random.Generator, least: float = 0.0
) -> tuple[Array, Array, NDArray[np.int64]]:
    """n points on all surfaces together, in the order of the surfaces.

    Args:
        placed: the surfaces.
        n: how many points.
        rng: the source of randomness.
        least: the share of points that a surface gets in the mean however small it is. The rest is shared by area.

    Returns:
        points (n, 3), unit normals (n, 3), and for each point the number of its surface (n,).
    """
    area = np.array([p.surface.area for p in placed])
    counts = rng.multinomial(n, least + (1 - least * len(placed)) * area / area.sum())
    points, normals = np.empty((n, 3)), np.empty((n, 3))
    start = 0
    for p, count in zip(placed, counts.tolist(), strict=True):
        if count:
            x, normal = p.surface.sample(count, rng)
            if p.turn is not None:
                x, normal = x @ p.turn.T, normal @ p.turn.T
            points[start : start + count] = x + p.at
            normals[start : start + count] = normal
        start += count
    return points, normals, np.repeat(np.arange(len(placed)), counts)
