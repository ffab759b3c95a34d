"""Pictures of a street by ray casting, one ray a pixel: by day in the sun, at night by headlights and lamps."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from efficientlab.datasets.streets.cameras import Cameras
from efficientlab.datasets.streets.casting import GROUND, NOTHING, Hits, first_hits, normals
from efficientlab.datasets.streets.paint import Paint, ground_colour, paint, windowed
from efficientlab.datasets.streets.scene import Scene
from efficientlab.datasets.streets.solids import Array, Ints
from efficientlab.datasets.streets.things import KINDS


class Pictures(NamedTuple):
    """What M cameras saw.

    Attributes:
        image: uint8 (M, 3, H, W), red, green, blue.
        depth: float32 (M, H, W), metres along the camera's axis; infinite in the sky.
        thing: int64 (M, H, W), number of the scene's thing, or −1.
    """

    image: NDArray[np.uint8]
    depth: NDArray[np.float32]
    thing: Ints


def render(scene: Scene, cameras: Cameras, *, night: bool = False) -> Pictures:
    """Takes the pictures of all cameras. A solid that a camera stands in is not seen.

    Args:
        scene: what they look at.
        cameras: with their augmentation, which is exact: rays are cast through the pixels that are read.
        night: nothing but headlights ahead and lamps on the poles, and noise that is as large as by day.

    Raises:
        ValueError: a camera stands below the road.
    """
    rng = np.random.default_rng([*scene.seed, 3])
    places, rays = cameras.rays()
    look = paint(scene)
    count, height, width = len(cameras), *cameras.size
    image, depth, thing = [], [], []
    for place, directions in zip(places @ scene.turn.T, rays @ scene.turn.T, strict=True):
        if place[2] <= 0:
            raise ValueError(f"a camera stands {-place[2]:.2f} m below the road")
        flat = directions.reshape(-1, 3)  # (H · W, 3)
        hits = first_hits(scene.solids, place, flat)
        reached = np.where(np.isfinite(hits.distance), hits.distance, 0.0)
        points = place + reached[:, None] * flat
        normal = normals(scene.solids, hits, points)
        colour = _colour(scene, look, hits, points, normal)
        light = _night(scene, points, normal) if night else _day(look, normal)
        sky = hits.solid == NOTHING
        colour = np.where(sky[:, None], _sky(flat, night), colour * light[:, None])
        haze = 0.0 if night else np.where(sky, 0.0, 1 - np.exp(-reached / 150))[:, None]
        image.append(colour + haze * (0.75 - colour))
        depth.append(hits.distance)
        thing.append(np.where(hits.solid >= 0, scene.solids.thing[hits.solid], -1))
    shown = np.stack(image).reshape(count, height, width, 3)
    shown = shown + 0.02 * rng.standard_normal(shown.shape)
    return Pictures(
        image=np.rint(255 * np.clip(shown, 0, 1)).astype(np.uint8).transpose(0, 3, 1, 2).copy(),
        depth=np.stack(depth).reshape(count, height, width).astype(np.float32),
        thing=np.stack(thing).reshape(count, height, width),
    )


def _colour(scene: Scene, look: Paint, hits: Hits, points: Array, normal: Array) -> Array:
    """(R, 3), without light."""
    colour = np.zeros((len(points), 3))
    road = hits.solid == GROUND
    colour[road] = ground_colour(scene.areas, points[road, :2])
    rows = np.flatnonzero(hits.solid >= 0)
    solid = hits.solid[rows]
    own = look.colour[solid]
    # Along a wall: the direction on the plan that is at right angles to its normal.
    along = points[rows, 0] * -normal[rows, 1] + points[rows, 1] * normal[rows, 0]
    wall = np.abs(normal[rows, 2]) < 0.5
    glass = wall & windowed(along, points[rows, 2], look.window[solid])
    colour[rows] = np.where(glass[:, None], (0.16, 0.2, 0.26), own)
    return colour


def _day(look: Paint, normal: Array) -> Array:
    return 0.55 + 0.5 * np.maximum(normal @ look.sun, 0.0)


def _night(scene: Scene, points: Array, normal: Array) -> Array:
    """Headlights shine ahead from the rig; every pole bears a lamp, whose light falls on what is around its foot."""
    x, y = points[:, 0], points[:, 1]
    far = np.hypot(x, y)
    ahead = np.maximum(x / np.maximum(far, 0.1), 0.0) ** 4
    light = 0.06 + 0.5 * ahead * np.exp(-far / 14)
    for k in np.flatnonzero(scene.things.kind == KINDS.index("pole")):
        square = (x - scene.things.centre[k, 0]) ** 2 + (y - scene.things.centre[k, 1]) ** 2
        light += 0.3 * np.exp(-square / (2 * 3.5**2))
    return light * (0.7 + 0.3 * np.abs(normal[:, 2]))


def _sky(rays: Array, night: bool) -> Array:
    """(R, 3), brighter towards the horizon."""
    up = np.clip(rays[:, 2] / np.linalg.norm(rays, axis=1), 0, 1)[:, None]
    day = (1 - up) * np.array([0.8, 0.85, 0.9]) + up * np.array([0.45, 0.62, 0.9])
    return 0.04 * day if night else day
