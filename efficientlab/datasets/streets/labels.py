"""What is to be found in a street: boxes around cars, taxis, people and cyclists, and a map of the ground."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from efficientlab.datasets.streets.layout import AREAS
from efficientlab.datasets.streets.lidar import Sweep
from efficientlab.datasets.streets.paint import covered
from efficientlab.datasets.streets.scene import Scene
from efficientlab.datasets.streets.things import KINDS
from efficientlab.kernels.bev import BEVGrid

CLASSES = KINDS[:4]
"""What is detected. Cars and taxis differ in colour alone, so only a camera tells them apart."""
MAPS = AREAS[:4]
"""What a map shows. Areas overlap. A LiDAR sees where the road ends, at the kerb; all the rest is paint."""
GRID = BEVGrid((-16.0, 16.0, 0.5), (-16.0, 16.0, 0.5), (-2.0, 4.0))


def boxes(scene: Scene, sweep: Sweep, grid: BEVGrid = GRID) -> NDArray[np.float32]:
    """(T, 8): class, centre x, y, z, length, width, height, yaw, in the rig's frame.

    Of the things whose centres lie in the grid and on which at least one point of the sweep lies: nuScenes leaves
    out what no sensor could see, too. The rig leans by a few degrees at most, and boxes stay upright in its frame.
    """
    things = scene.things
    centre = things.centre @ scene.turn
    x, y = centre[:, 0], centre[:, 1]
    seen = np.bincount(sweep.thing[sweep.thing >= 0], minlength=len(things)) > 0
    inside = (x >= grid.x[0]) & (x < grid.x[1]) & (y >= grid.y[0]) & (y < grid.y[1])
    keep = (things.kind < len(CLASSES)) & seen & inside
    looks = np.stack([np.cos(things.yaw), np.sin(things.yaw), 0 * things.yaw], 1) @ scene.turn
    yaw = np.arctan2(looks[:, 1], looks[:, 0])
    rows = np.concatenate([things.kind[:, None], centre, things.size, yaw[:, None]], 1)
    return rows[keep].astype(np.float32)


def map_raster(scene: Scene, grid: BEVGrid = GRID) -> NDArray[np.bool_]:
    """(K, X, Y): for each of `MAPS`, whether it covers the centre of a cell, in the rig's frame at height 0."""
    cells = grid.cells
    x, y = (start + (np.arange(n) + 0.5) * step for (start, _, step), n in zip(grid[:2], cells, strict=True))
    flat = np.stack([*np.meshgrid(x, y, indexing="ij"), np.zeros(cells)], -1).reshape(-1, 3)
    plan = (flat @ scene.turn.T)[:, :2]
    return np.stack([covered(scene.areas, kind, plan).reshape(cells) for kind in MAPS])
