"""What stands and moves in a street: each kind as a few boxes and cylinders with random proportions.

A thing stands on the ground at its own origin and looks along x. Cars and taxis have the same shapes: only their
colour differs. Crates have the extent of a car and none of its shape.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from efficientlab.datasets.streets.solids import Part, Pose

Rng = np.random.Generator
Size = tuple[float, float, float]

LABELS = ("road", "sidewalk", "building", "pole", "bollard", "car", "crate", "pedestrian", "cyclist")
"""What a point can lie on; a taxi is a car."""
KINDS = ("car", "taxi", "pedestrian", "cyclist", "crate", "bollard", "pole")
"""What a thing can be."""


class Thing(NamedTuple):
    """One thing: its kind, an index into `KINDS`; where it stands; its extent (length, width, height); its parts."""

    kind: int
    pose: Pose
    floor: float  # height of the ground below it
    size: Size
    parts: tuple[Part, ...]


def between(rng: Rng, low: float, high: float) -> float:
    """Uniform in [low, high). In Python's arithmetic, which no compiler fuses: equal on every machine."""
    return low + (high - low) * float(rng.random())


def thing(kind: str, pose: Pose, floor: float, rng: Rng, number: int) -> Thing:
    """Draws a thing of a kind at a place; its parts bear its number."""
    label = LABELS.index("car" if kind == "taxi" else kind)
    size, shapes = _SHAPES[kind](rng)
    parts = tuple(Part(pose.of(Pose(s.x, s.y)), floor + s.z, s.size, label, number, s.round) for s in shapes)
    return Thing(KINDS.index(kind), pose, floor, size, parts)


class _Shape(NamedTuple):
    """A box or cylinder with its centre at x, y, z in its thing."""

    x: float
    y: float
    z: float
    size: Size
    round: bool = False


def _car(rng: Rng) -> tuple[Size, list[_Shape]]:
    length, width, height = _extent_of_a_car(rng)
    clear, bonnet = 0.22, between(rng, 0.8, 0.95)  # heights of the body's underside and top
    cabin, back = between(rng, 0.45, 0.6) * length, between(rng, -0.12, 0.0) * length
    shapes = [
        _Shape(0.0, 0.0, (clear + bonnet) / 2, (length, width, bonnet - clear)),
        _Shape(back, 0.0, (bonnet + height) / 2, (cabin, 0.84 * width, height - bonnet)),
    ]
    for end in (-0.31, 0.31):
        shapes += [
            _Shape(end * length, side * (width / 2 - 0.1), 0.16, (0.6, 0.2, 0.32)) for side in (-1.0, 1.0)
        ]
    return (length, width, height), shapes


def _crate(rng: Rng) -> tuple[Size, list[_Shape]]:
    size = _extent_of_a_car(rng)
    return size, [_Shape(0.0, 0.0, size[2] / 2, size)]


def _extent_of_a_car(rng: Rng) -> Size:
    return between(rng, 3.6, 4.7), between(rng, 1.6, 1.9), between(rng, 1.35, 1.6)


def _pedestrian(rng: Rng) -> tuple[Size, list[_Shape]]:
    height, wide = between(rng, 1.5, 1.9), between(rng, 0.4, 0.52)
    hip, neck = 0.47 * height, 0.86 * height
    stride = between(rng, 0.0, 0.24)
    shapes = [_Shape(end * stride, 0.3 * end * wide, hip / 2, (0.17, 0.17, hip), True) for end in (-1.0, 1.0)]
    shapes += [
        _Shape(0.0, 0.0, (hip + neck) / 2, (0.28, wide, neck - hip)),
        _Shape(0.0, 0.0, (neck + height) / 2, (0.22, 0.22, height - neck), True),
    ]
    return (0.28 + stride, wide, height), shapes


def _cyclist(rng: Rng) -> tuple[Size, list[_Shape]]:
    wheel, base = between(rng, 0.62, 0.7), between(rng, 0.98, 1.1)  # diameter, and between the axles
    saddle, height = between(rng, 0.85, 1.0), between(rng, 1.6, 1.85)
    shapes = [_Shape(end * base / 2, 0.0, wheel / 2, (wheel, 0.06, wheel)) for end in (-1.0, 1.0)]
    shapes += [
        _Shape(0.0, 0.0, 0.62, (base, 0.08, 0.12)),  # frame
        _Shape(0.38 * base, 0.0, saddle + 0.1, (0.08, 0.5, 0.08)),  # handlebar
        _Shape(-0.12, 0.0, saddle / 2 + 0.12, (0.3, 0.3, saddle - 0.24)),  # legs
        _Shape(-0.05, 0.0, (saddle + height - 0.22) / 2, (0.42, 0.42, height - 0.22 - saddle)),
        _Shape(0.08, 0.0, height - 0.11, (0.22, 0.22, 0.22), True),
    ]
    return (base + wheel, 0.5, height), shapes


def _bollard(rng: Rng) -> tuple[Size, list[_Shape]]:
    across, height = between(rng, 0.18, 0.3), between(rng, 0.8, 1.1)
    return (across, across, height), [_Shape(0.0, 0.0, height / 2, (across, across, height), True)]


def _pole(rng: Rng) -> tuple[Size, list[_Shape]]:
    across, height = between(rng, 0.14, 0.24), between(rng, 4.0, 7.0)
    return (across, across, height), [_Shape(0.0, 0.0, height / 2, (across, across, height), True)]


_SHAPES: dict[str, Callable[[Rng], tuple[Size, list[_Shape]]]] = {
    "car": _car,
    "taxi": _car,
    "pedestrian": _pedestrian,
    "cyclist": _cyclist,
    "crate": _crate,
    "bollard": _bollard,
    "pole": _pole,
}
