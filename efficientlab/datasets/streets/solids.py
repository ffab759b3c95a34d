"""What a street is built of: boxes that stand upright and may be turned, and upright cylinders.

Lengths in metres, angles in radians, counterclockwise seen from above; x ahead, y to the left, z up.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Ints = NDArray[np.int64]


class Pose(NamedTuple):
    """A place on the plan and the direction in which something looks there."""

    x: float
    y: float
    yaw: float = 0.0

    def of(self, inner: Pose) -> Pose:
        """A pose that is given in the frame of this one, in the frame that this one is given in."""
        cosine, sine = math.cos(self.yaw), math.sin(self.yaw)
        x = self.x + cosine * inner.x - sine * inner.y
        y = self.y + sine * inner.x + cosine * inner.y
        return Pose(x, y, self.yaw + inner.yaw)

    def inverse(self) -> Pose:
        cosine, sine = math.cos(self.yaw), math.sin(self.yaw)
        return Pose(-cosine * self.x - sine * self.y, sine * self.x - cosine * self.y, -self.yaw)


class Part(NamedTuple):
    """One box, or one cylinder if `round`: its centre, how it is turned, its extent, and what it belongs to.

    `label` is an index into `LABELS`, `thing` the number of the thing that it is a part of, −1 for the street.
    """

    pose: Pose
    height: float  # of its centre
    size: tuple[float, float, float]
    label: int
    thing: int = -1
    round: bool = False


@dataclass(frozen=True)
class Solids:
    """S parts as arrays, which is what rays are tested against.

    Attributes:
        centre: (S, 3).
        half: (S, 3), half the extent along its own axes; of a cylinder (radius, radius, half its height).
        yaw: (S,).
        round: bool (S,), a cylinder.
        label: (S,), index into `LABELS`.
        thing: (S,), number of the thing, or −1.
    """

    centre: Array
    half: Array
    yaw: Array
    round: NDArray[np.bool_]
    label: Ints
    thing: Ints

    def __len__(self) -> int:
        return len(self.yaw)


def solids(parts: Sequence[Part], frame: Pose) -> Solids:
    """Parts given in the frame of a pose. Rounded to 0.1 mm, which is the same on every machine."""
    poses = [frame.of(p.pose) for p in parts]
    return Solids(
        centre=rounded([(q.x, q.y, p.height) for p, q in zip(parts, poses, strict=True)], (-1, 3)),
        half=rounded([p.size for p in parts], (-1, 3)) / 2,
        yaw=rounded([q.yaw for q in poses], (-1,)),
        round=np.array([p.round for p in parts], bool),
        label=np.array([p.label for p in parts], np.int64),
        thing=np.array([p.thing for p in parts], np.int64),
    )


def rounded(values: Iterable[object], shape: tuple[int, ...]) -> Array:
    """To four decimals: sines and cosines differ in their last digits between libraries."""
    return np.round(np.array(list(values), np.float64).reshape(shape), 4)
