"""How a street lies: its lanes, parked strips and bicycle lanes, a junction, kerbs, paint and houses.

All in the street's frame: x along the main road, y = 0 on its centre line. Traffic keeps to the right.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from efficientlab.datasets.streets.solids import Part, Pose
from efficientlab.datasets.streets.things import LABELS, between

Rng = np.random.Generator

AREAS = ("drivable", "crossing", "bicycle lane", "divider", "walkway", "stripe")
"""Kinds of areas on the ground. They overlap: a crossing lies on what is drivable. A stripe is white paint; the
dividers' and crossings' areas are those that the stripes mark."""

PARKING, BICYCLES = 2.3, 1.6  # widths
KERB = 0.15  # height
LINE = 0.8  # width of a divider's area: maps draw lines wider than they are
FAR = 60.0  # how far the ground goes
HOUSES = 42.0  # how far the houses go


class Area(NamedTuple):
    """A rectangle on the ground: its kind, an index into `AREAS`, its centre, and its extent along its own axes."""

    kind: int
    pose: Pose
    size: tuple[float, float]


class Side(NamedTuple):
    """One side of the main road: `way` is −1 on the right, where traffic goes along x, and 1 on the left."""

    way: int
    kerb: float  # distance of the kerb from the centre line
    bicycles: bool
    parking: bool
    walk: float  # width of the sidewalk
    arm: bool  # a side road leaves here
    bollards: bool  # along the kerb


class Layout(NamedTuple):
    """What is drawn before anything is placed. Distances in metres."""

    lane: float  # width
    sides: tuple[Side, Side]  # right, left
    junction: float  # x of the side roads' centre line
    half: float  # half the width of the side roads
    crossings: tuple[Area, ...]

    @property
    def arms(self) -> tuple[Side, ...]:
        return tuple(side for side in self.sides if side.arm)


def draw_layout(rng: Rng) -> Layout:
    lane = between(rng, 3.0, 3.6)
    sides = []
    for way in (-1, 1):
        bicycles, parking, arm, bollards = (float(rng.random()) < p for p in (0.5, 0.6, 0.5, 0.6))
        kerb = lane + BICYCLES * bicycles + PARKING * parking
        sides.append(Side(way, kerb, bicycles, parking, between(rng, 2.5, 4.5), arm, bollards))
    junction, half = between(rng, -14.0, 18.0), between(rng, 3.0, 4.2)
    right, left = sides
    walked = tuple(_crossings(rng, (right, left), junction, half))
    return Layout(lane, (right, left), junction, half, walked)


def _crossings(rng: Rng, sides: tuple[Side, Side], junction: float, half: float) -> Iterator[Area]:
    """Where people cross: the main road on either side of a junction and the side roads, or one place midway."""
    kind, deep = AREAS.index("crossing"), 3.0
    right, left = sides
    width, middle = right.kerb + left.kerb, (left.kerb - right.kerb) / 2
    arms = [side for side in sides if side.arm]
    for end in (-1.0, 1.0):
        drawn = float(rng.random())
        x = junction + end * (half + 2.5) if arms else junction
        if drawn < 0.6 and (arms or end > 0):
            yield Area(kind, Pose(x, middle), (deep, width))
    for side in sides:
        drawn = float(rng.random())
        if drawn < 0.5 and side.arm:
            yield Area(kind, Pose(junction, side.way * (side.kerb + 2.5)), (2 * half, deep))


def areas(street: Layout, rng: Rng) -> list[Area]:
    """Everything that a map shows, and all paint.

    Drawn from numbers of its own, and half of it at will: a lane may be without its colour, a place where people cross
    without stripes, and stripes lie where nobody crosses. What else is in a street does not tell.
    """
    right, left = street.sides
    middle, width = (left.kerb - right.kerb) / 2, left.kerb + right.kerb
    found = [_area("drivable", 0.0, middle, 2 * FAR, width)]
    for side in street.arms:
        y = side.way * (side.kerb + FAR / 2)
        found.append(_area("drivable", street.junction, y, 2 * street.half, FAR))
    for side in street.sides:
        coloured = float(rng.random()) < 0.6
        for low, high in _beside(street, side, street.half):
            y = side.way * (side.kerb + side.walk / 2)
            found.append(_area("walkway", (low + high) / 2, y, high - low, side.walk))
            if side.bicycles and coloured:
                y = side.way * (street.lane + BICYCLES / 2)
                found.append(_area("bicycle lane", (low + high) / 2, y, high - low, BICYCLES))
        if side.arm:
            for end in (-1.0, 1.0):
                x = street.junction + end * (street.half + 1.25)
                y = side.way * (side.kerb + side.walk + FAR / 2)
                found.append(_area("walkway", x, y, 2.5, FAR))
    striped = [crossing for crossing in street.crossings if float(rng.random()) < 0.5]
    more, x = float(rng.random()), between(rng, -14.0, 14.0)
    if more < 0.6:
        striped.append(_area("crossing", x, middle, 3.0, width))
    found += striped
    if float(rng.random()) < 0.7:
        found += _lines(street, between(rng, -0.6, 0.6))
    for crossing in striped:
        found += _stripes(crossing)
    return found


def _area(kind: str, x: float, y: float, length: float, width: float) -> Area:
    return Area(AREAS.index(kind), Pose(x, y), (length, width))


def _beside(street: Layout, side: Side, gap: float) -> list[tuple[float, float]]:
    """The stretches of x on one side of the main road, which a side road interrupts within `gap` of its centre."""
    if not side.arm:
        return [(-FAR, FAR)]
    return [(-FAR, street.junction - gap), (street.junction + gap, FAR)]


def _lines(street: Layout, shift: float) -> Iterator[Area]:
    """Centre lines, dashed, that end before a junction; all are `shift` metres beside the middle."""
    gap = street.half + 4.5 if street.arms else 0.0
    for low, high in ((-FAR, street.junction - gap), (street.junction + gap, FAR)):
        yield _area("divider", (low + high) / 2, shift, high - low, LINE)
        for k in range(int((high - low) // 4)):
            x = low + 1.5 + 4 * k if low > -FAR else high - 1.5 - 4 * k
            yield _area("stripe", x, shift, 2.4, 0.2)
    for side in street.arms:
        start = side.kerb + 4.5
        y = side.way * (start + FAR) / 2
        yield _area("divider", street.junction + shift, y, LINE, FAR - start)
        for k in range(int((FAR - start) // 4)):
            yield _area("stripe", street.junction + shift, side.way * (start + 1.5 + 4 * k), 0.2, 2.4)


def _stripes(crossing: Area) -> Iterator[Area]:
    """White bars, as long as the crossing is deep, side by side where people walk."""
    (x, y, _), (length, width) = crossing.pose, crossing.size
    upright = width > length  # people walk along y
    across = width if upright else length
    for k in range(int(across // 1.0)):
        at = 0.5 + k - across / 2
        if upright:
            yield _area("stripe", x, y + at, length, 0.5)
        else:
            yield _area("stripe", x + at, y, 0.5, width)


def ground(street: Layout) -> Iterator[Part]:
    """The sidewalks and what lies behind them, a kerb above the road."""
    label = LABELS.index("sidewalk")
    for side in street.sides:
        y, width = side.way * (side.kerb + FAR / 2), FAR
        for low, high in _beside(street, side, street.half):
            yield Part(Pose((low + high) / 2, y), KERB / 2, (high - low, width, KERB), label)


def houses(street: Layout, rng: Rng) -> Iterator[Part]:
    """Rows of houses behind the sidewalks of the main road, then along the side roads."""
    for side in street.sides:
        front, deep = side.kerb + side.walk, between(rng, 7.0, 10.0)
        for low, high in _beside(street, side, street.half + 2.5):
            for x, length, height in _row(rng, max(low, -HOUSES), min(high, HOUSES)):
                yield _house(x, side.way * (front + deep / 2), length, deep, height)
        if side.arm:
            for end in (-1.0, 1.0):
                x = street.junction + end * (street.half + 2.5 + deep / 2)
                for y, length, height in _row(rng, front + deep + 1.0, HOUSES):
                    yield _house(x, side.way * y, deep, length, height)


def _row(rng: Rng, low: float, high: float) -> Iterator[tuple[float, float, float]]:
    """Centre, length and height of houses from low to high, some with a gap between."""
    while high - low > 3.0:
        length, height = min(between(rng, 8.0, 18.0), high - low), between(rng, 4.0, 12.0)
        gap = max(0.0, between(rng, -4.0, 4.0))
        yield low + length / 2, length, height
        low += length + gap


def _house(x: float, y: float, length: float, width: float, height: float) -> Part:
    return Part(Pose(x, y), height / 2, (length, width, height), LABELS.index("building"))
