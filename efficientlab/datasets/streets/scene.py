"""A street with everything in it, as the sensors' rig stands in it: drawn once, then looked at by any sensor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from efficientlab.datasets.streets.layout import areas, draw_layout, ground, houses
from efficientlab.datasets.streets.solids import Array, Ints, Pose, Solids, rounded, solids
from efficientlab.datasets.streets.things import between
from efficientlab.datasets.streets.traffic import traffic


@dataclass(frozen=True)
class Things:
    """What stands and moves in a scene, on the plan of the rig.

    Attributes:
        kind: (T,), index into `KINDS`.
        centre: (T, 3), of the box around it, in metres above the road.
        size: (T, 3), length, width and height of that box.
        yaw: (T,), where it looks, in radians counterclockwise from x.
    """

    kind: Ints
    centre: Array
    size: Array
    yaw: Array

    def __len__(self) -> int:
        return len(self.kind)


@dataclass(frozen=True)
class Areas:
    """Rectangles on the ground: kind (A,), an index into `AREAS`; centre (A, 2); half extent (A, 2); yaw (A,)."""

    kind: Ints
    centre: Array
    half: Array
    yaw: Array

    def __len__(self) -> int:
        return len(self.kind)


@dataclass(frozen=True)
class Scene:
    """A street on the plan of the rig: x ahead, y to the left, z up, the origin on the road below the rig.

    Attributes:
        solids: everything that a ray can hit, but for the road, which is the plane z = 0.
        things: what is not a part of the street; `solids.thing` refers to it.
        areas: lanes, crossings and paint, which only a camera sees.
        turn: (3, 3), from the rig's axes to the plan's: the rig is pitched and rolled about the origin.
        seed: what it was drawn from; a sensor derives its own numbers from it.
    """

    solids: Solids
    things: Things
    areas: Areas
    turn: Array
    seed: tuple[int, ...]


def draw_scene(seed: int | Sequence[int], *, tilt: float = 0.05) -> Scene:
    """Draws a street. The same seed gives the same street on every machine.

    Args:
        seed: one number or several, such as (seed of the set, split, number of the scene).
        tilt: pitch and roll of the rig are uniform between −tilt and tilt, in radians. Nothing else depends on it.

    Raises:
        ValueError: a negative seed or tilt.
    """
    numbers = (seed,) if isinstance(seed, int) else tuple(int(s) for s in seed)
    if not numbers or min(numbers) < 0:
        raise ValueError(f"a seed is one or more numbers that are not negative; got {seed!r}")
    if tilt < 0:
        raise ValueError(f"tilt must not be negative, got {tilt}")
    rng = np.random.default_rng([*numbers, 0])
    street = draw_layout(rng)
    rig = Pose(0.0, -street.lane / 2 + between(rng, -0.3, 0.3), between(rng, -0.1, 0.1))
    standing = [*ground(street), *houses(street, rng)]
    everyone = traffic(street, rng, rig.y)
    frame = rig.inverse()
    flat = areas(street, np.random.default_rng([*numbers, 5]))
    poses = [frame.of(t.pose) for t in everyone]
    heights = [t.floor + t.size[2] / 2 for t in everyone]
    pitch, roll = between(rng, -tilt, tilt), between(rng, -tilt, tilt)
    return Scene(
        solids=solids([*standing, *(part for t in everyone for part in t.parts)], frame),
        things=Things(
            kind=np.array([t.kind for t in everyone], np.int64),
            centre=rounded([(p.x, p.y, h) for p, h in zip(poses, heights, strict=True)], (-1, 3)),
            size=rounded([t.size for t in everyone], (-1, 3)),
            yaw=rounded([p.yaw for p in poses], (-1,)),
        ),
        areas=_flat([(a.kind, frame.of(a.pose), a.size) for a in flat]),
        turn=turned(pitch, roll),
        seed=numbers,
    )


def _flat(found: list[tuple[int, Pose, tuple[float, float]]]) -> Areas:
    return Areas(
        kind=np.array([kind for kind, *_ in found], np.int64),
        centre=rounded([(p.x, p.y) for _, p, _ in found], (-1, 2)),
        half=rounded([size for *_, size in found], (-1, 2)) / 2,
        yaw=rounded([p.yaw for _, p, _ in found], (-1,)),
    )


def turned(pitch: float, roll: float) -> NDArray[np.float64]:
    """(3, 3) from a rig's axes to the plan's: rolled about x, then pitched about y; pitch > 0 looks down."""
    c, s = np.cos([pitch, roll]), np.sin([pitch, roll])
    pitched = np.array([[c[0], 0.0, s[0]], [0.0, 1.0, 0.0], [-s[0], 0.0, c[0]]])
    rolled = np.array([[1.0, 0.0, 0.0], [0.0, c[1], -s[1]], [0.0, s[1], c[1]]])
    return pitched @ rolled
