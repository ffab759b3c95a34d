"""Who is in a street: cars in lanes and parked, cyclists, people on the sidewalks and crossings, posts at the kerb.

Things stand in places of their own that do not overlap, so nothing is drawn and then refused: how many numbers are
drawn never depends on rounding.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from efficientlab.datasets.streets.layout import BICYCLES, KERB, PARKING, Layout, Side
from efficientlab.datasets.streets.solids import Pose
from efficientlab.datasets.streets.things import Thing, between, thing

Rng = np.random.Generator
_REACH = 36.0  # how far from the middle things are placed


def traffic(street: Layout, rng: Rng, ego: float) -> list[Thing]:
    """Everything that stands or moves, with the sensors at x = 0 in the lane whose middle is at y = `ego`."""
    places: list[tuple[str, Pose, float]] = []
    for side in street.sides:
        places += _lane(street, side, rng, ego)
        places += _bicycles(street, side, rng)
        places += _parked(street, side, rng)
        places += _kerb(street, side, rng)
        places += _walking(street, side, rng)
        places += _arm(street, side, rng)
    places += _crossing(street, rng)
    return [thing(kind, pose, floor, rng, i) for i, (kind, pose, floor) in enumerate(places)]


def _along(step: float) -> list[float]:
    count = int(_REACH // step)
    return [step * k for k in range(-count, count + 1)]


def _free(street: Layout, x: float, margin: float) -> bool:
    """Is x away from the junction and from all crossings of the main road?"""
    if street.arms and abs(x - street.junction) < street.half + margin:
        return False
    return all(abs(x - c.pose.x) > c.size[0] / 2 + margin for c in street.crossings)


def _ahead(side: Side) -> float:
    return 0.0 if side.way < 0 else math.pi


def _vehicle(u: float) -> str:
    return "car" if u < 0.6 else "taxi"


def _lane(street: Layout, side: Side, rng: Rng, ego: float) -> Iterator[tuple[str, Pose, float]]:
    y = side.way * street.lane / 2
    for x in _along(9.0):
        present, kind = (float(u) for u in rng.random(2))
        at = Pose(x + between(rng, -1.5, 1.5), y + between(rng, -0.3, 0.3), _ahead(side))
        clear = abs(at.x) > 7.5 or side.way * ego < 0
        if present < 0.28 and clear and _free(street, at.x, 2.5):
            yield _vehicle(kind), at._replace(yaw=at.yaw + between(rng, -0.06, 0.06)), 0.0


def _bicycles(street: Layout, side: Side, rng: Rng) -> Iterator[tuple[str, Pose, float]]:
    y = side.way * (street.lane + BICYCLES / 2)
    for x in _along(6.0):
        present = float(rng.random())
        at = Pose(x + between(rng, -1.8, 1.8), y + between(rng, -0.25, 0.25), _ahead(side))
        if side.bicycles and present < 0.3 and _free(street, at.x, 1.0):
            yield "cyclist", at, 0.0


def _parked(street: Layout, side: Side, rng: Rng) -> Iterator[tuple[str, Pose, float]]:
    y = side.way * (side.kerb - PARKING / 2)
    for x in _along(6.2):
        present, kind, colour, turned = (float(u) for u in rng.random(4))
        at = Pose(x + between(rng, -0.6, 0.6), y + between(rng, -0.12, 0.12), between(rng, -0.04, 0.04))
        if side.parking and present < 0.6 and _free(street, at.x, 3.0):
            turned_pose = at._replace(yaw=at.yaw + (math.pi if turned < 0.5 else 0.0))
            yield "crate" if kind < 0.35 else _vehicle(colour), turned_pose, 0.0


def _kerb(street: Layout, side: Side, rng: Rng) -> Iterator[tuple[str, Pose, float]]:
    y = side.way * (side.kerb + 0.35)
    for k, x in enumerate(_along(2.0)):
        present, shift = float(rng.random()), between(rng, -0.3, 0.3)
        if street.arms and abs(x - street.junction) < street.half + 1.0:
            continue
        if k % 8 == 3:
            yield "pole", Pose(x + shift, y), KERB
        elif side.bollards and present < 0.6 and _free(street, x, 0.5):
            yield "bollard", Pose(x + shift, y), KERB


def _walking(street: Layout, side: Side, rng: Rng) -> Iterator[tuple[str, Pose, float]]:
    for x in _along(2.6):
        present, kind, ahead = (float(u) for u in rng.random(3))
        y = side.way * (side.kerb + between(rng, 1.1, side.walk - 0.6))
        yaw = between(rng, -0.5, 0.5) + (math.pi if ahead < 0.5 else 0.0)
        if street.arms and abs(x - street.junction) < street.half + 1.5:
            continue
        if present < 0.3:
            pose = Pose(x + between(rng, -0.5, 0.5), y, yaw)
            yield "cyclist" if kind < 0.2 else "pedestrian", pose, KERB


def _arm(street: Layout, side: Side, rng: Rng) -> Iterator[tuple[str, Pose, float]]:
    """Cars in a side road, which come and go."""
    for k in range(4):
        for way in (-1, 1):
            present, kind = (float(u) for u in rng.random(2))
            x = street.junction + way * street.half / 2
            y = side.way * (side.kerb + 8.0 + 8.0 * k + between(rng, -1.0, 1.0))
            if side.arm and present < 0.4:
                yield _vehicle(kind), Pose(x, y, way * math.pi / 2), 0.0


def _crossing(street: Layout, rng: Rng) -> Iterator[tuple[str, Pose, float]]:
    """Up to three people on each crossing, side by side in the direction that is not walked."""
    for crossing in street.crossings:
        (length, width) = crossing.size
        along_y = width > length
        for lane in (-0.9, 0.0, 0.9):
            present, where, ahead = (float(u) for u in rng.random(3))
            at = (where - 0.5) * 0.85 * max(length, width)
            x, y = (lane, at) if along_y else (at, lane)
            yaw = (math.pi / 2 if along_y else 0.0) + (math.pi if ahead < 0.5 else 0.0)
            pose = Pose(crossing.pose.x + x, crossing.pose.y + y, yaw)
            if present < 0.4:
                yield "pedestrian", pose, 0.0
