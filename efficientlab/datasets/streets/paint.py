"""The colours of a street, which only cameras see: paint on the road, houses with windows, cars and taxis.

All drawn from numbers of their own, so that a scene is the same whether it is painted or not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from efficientlab.datasets.streets.layout import AREAS
from efficientlab.datasets.streets.scene import Areas, Scene
from efficientlab.datasets.streets.solids import Array
from efficientlab.datasets.streets.things import KINDS, LABELS

ASPHALT, WHITE, RED = (0.30, 0.30, 0.32), (0.92, 0.92, 0.90), (0.52, 0.24, 0.20)
TAXI = (0.95, 0.74, 0.08)
_CARS = ((0.85, 0.86, 0.88), (0.12, 0.12, 0.13), (0.45, 0.47, 0.50), (0.13, 0.2, 0.5), (0.55, 0.1, 0.1))
_CRATES = ((0.16, 0.34, 0.2), (0.42, 0.26, 0.14), (0.2, 0.3, 0.5), (0.5, 0.5, 0.48))
_CLOTHES = ((0.7, 0.2, 0.2), (0.2, 0.3, 0.7), (0.15, 0.15, 0.2), (0.3, 0.55, 0.3), (0.75, 0.7, 0.6))
_HOUSES = ((0.62, 0.55, 0.47), (0.55, 0.33, 0.26), (0.7, 0.68, 0.62), (0.45, 0.45, 0.48))
_FIXED = {"sidewalk": (0.52, 0.51, 0.49), "pole": (0.4, 0.42, 0.42), "bollard": (0.25, 0.25, 0.28)}


@dataclass(frozen=True)
class Paint:
    """What a scene looks like in the light: colour (S, 3) of every solid, each channel in 0 … 1; the sun's direction.

    Windows are `window` metres apart along a house, (S,); 0 on all other solids.
    """

    colour: Array
    window: Array
    sun: Array


def paint(scene: Scene) -> Paint:
    """Draws the colours of a scene. The same scene gets the same colours."""
    rng = np.random.default_rng([*scene.seed, 2])
    solids, things = scene.solids, scene.things
    sun = np.append(rng.uniform(-1, 1, 2), 1.0)
    shade = rng.uniform(0.85, 1.1, len(solids))
    own = {
        name: np.array(palette)[rng.integers(len(palette), size=count)]
        for name, palette, count in (
            ("car", _CARS, len(things)),
            ("crate", _CRATES, len(things)),
            ("person", _CLOTHES, len(things)),
            ("building", _HOUSES, len(solids)),
        )
    }
    taxi = things.kind == KINDS.index("taxi")
    own["car"][taxi] = TAXI
    colour = own["building"]
    for name, value in _FIXED.items():
        colour[solids.label == LABELS.index(name)] = value
    for label, palette in (
        ("car", "car"),
        ("crate", "crate"),
        ("pedestrian", "person"),
        ("cyclist", "person"),
    ):
        rows = np.flatnonzero(solids.label == LABELS.index(label))
        colour[rows] = own[palette][solids.thing[rows]]
    house = solids.label == LABELS.index("building")
    window = np.where(house, rng.uniform(1.6, 3.0, len(solids)), 0.0)
    return Paint(np.clip(colour * shade[:, None], 0, 1), window, sun / np.linalg.norm(sun))


def covered(areas: Areas, kind: str, points: Array) -> NDArray[np.bool_]:
    """(P,): which points (P, 2) of the plan lie in an area of a kind of `AREAS`."""
    inside = np.zeros(len(points), bool)
    for k in np.flatnonzero(areas.kind == AREAS.index(kind)):
        x, y = (points - areas.centre[k]).T
        cosine, sine = np.cos(areas.yaw[k]), np.sin(areas.yaw[k])
        inside |= (np.abs(cosine * x + sine * y) <= areas.half[k, 0]) & (
            np.abs(cosine * y - sine * x) <= areas.half[k, 1]
        )
    return inside


def ground_colour(areas: Areas, points: Array) -> Array:
    """(P, 3): the colour of the road at points (P, 2) of the plan."""
    colour = np.tile(ASPHALT, (len(points), 1))
    near = np.flatnonzero(np.abs(points).max(1, initial=0.0) < 45.0)  # paint is too fine to be seen beyond
    for kind, value in (("bicycle lane", RED), ("stripe", WHITE)):
        colour[near[covered(areas, kind, points[near])]] = value
    return colour


def windowed(along: Array, height: Array, apart: Array) -> NDArray[np.bool_]:
    """(P,): is there a window at this place of a wall, `apart` metres from the next? Storeys are 3 m high."""
    safe = np.where(apart > 0, apart, 1.0)
    across, up = (along / safe) % 1.0, (height / 3.0) % 1.0
    return (apart > 0) & (across > 0.3) & (across < 0.7) & (up > 0.35) & (up < 0.8)
