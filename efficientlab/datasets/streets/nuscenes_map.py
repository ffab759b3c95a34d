"""nuScenes' vector maps (map expansion 1.3), drawn onto a grid around a vehicle.

`maps/expansion/<location>.json` holds nodes, lines and polygons of nodes, and layers that refer to these.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from efficientlab.datasets.reading import text
from efficientlab.datasets.streets.solids import Array
from efficientlab.kernels.bev import BEVGrid

MAPS = ("drivable_area", "ped_crossing", "walkway", "stop_line", "carpark_area", "divider")
"""BEVFusion's six classes. Dividers are lines, of roads and of lanes."""
LINE = 0.8  # width of a line, as in the drawn streets


class VectorMap:
    """One city's map.

    Raises:
        FileNotFoundError: the file is missing.
        ValueError: it is not such a map.
    """

    def __init__(self, path: Path) -> None:
        content = text(path, "{} is missing; it is in nuScenes' map expansion, version 1.3.")
        try:
            tables = json.loads(content)
            nodes = {n["token"]: (float(n["x"]), float(n["y"])) for n in tables["node"]}
            if not np.isfinite(list(nodes.values())).all():
                raise ValueError("a node is not finite")
            lines = {k["token"]: _corners(k["node_tokens"], nodes) for k in tables["line"]}
            polygons = {p["token"]: list(_rings(p, nodes)) for p in tables["polygon"]}
            self.areas = {name: [polygons[t] for t in _polygons(tables[name])] for name in MAPS[:-1]}
            dividers = (*tables["road_divider"], *tables["lane_divider"])
            self.dividers = [lines[d["line_token"]] for d in dividers if d["line_token"] in lines]
        except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
            raise ValueError(f"{path} is not a map of nuScenes' map expansion: {error}.") from error

    def raster(self, to_world: Array, grid: BEVGrid) -> NDArray[np.bool_]:
        """(K, X, Y): for each of `MAPS`, whether it covers the centre of a cell.

        Args:
            to_world: (4, 4), from the frame of the grid to that of the map.
            grid: the cells.
        """
        cells = grid.cells
        x, y = (
            start + (np.arange(n) + 0.5) * step for (start, _, step), n in zip(grid[:2], cells, strict=True)
        )
        flat = np.stack([*np.meshgrid(x, y, indexing="ij"), np.zeros(cells), np.ones(cells)], -1).reshape(
            -1, 4
        )
        points = (flat @ to_world.T)[:, :2]
        found = np.zeros((len(MAPS), len(points)), bool)
        for k, name in enumerate(MAPS[:-1]):
            for rings in self.areas[name]:
                if _near(rings[0], points):
                    found[k] |= inside(rings, points)
        for line in self.dividers:
            if _near(line, points):
                found[-1] |= distance_to(line, points) <= LINE / 2
        return found.reshape(len(MAPS), *cells)


def _polygons(layer: list[dict[str, Any]]) -> Iterator[str]:
    """The tokens of a layer's polygons: drivable areas have several each, all others one."""
    for record in layer:
        yield from record.get("polygon_tokens") or [record["polygon_token"]]


def _corners(tokens: list[str], nodes: dict[str, tuple[float, float]]) -> Array:
    return np.array([nodes[t] for t in tokens], np.float64).reshape(-1, 2)


def _rings(polygon: dict[str, Any], nodes: dict[str, tuple[float, float]]) -> Iterator[Array]:
    """The outline, then the holes."""
    yield _corners(polygon["exterior_node_tokens"], nodes)
    for hole in polygon.get("holes", []):
        if hole["node_tokens"]:
            yield _corners(hole["node_tokens"], nodes)


def _near(corners: Array, points: Array) -> bool:
    """Can corners (n, 2) have anything to do with points (P, 2)?"""
    if not len(corners):
        return False
    reach = points.min(0) - LINE, points.max(0) + LINE
    return bool((corners.max(0) >= reach[0]).all() and (corners.min(0) <= reach[1]).all())


def inside(rings: list[Array], points: Array) -> NDArray[np.bool_]:
    """(P,): whether points (P, 2) lie within an odd number of rings: in the outline, and in no hole.

    A ray to the right of a point crosses a ring an odd number of times if the point is in it.
    """
    within = np.zeros(len(points), bool)
    x, y = points.T
    for ring in rings:
        for (x0, y0), (x1, y1) in zip(ring, np.roll(ring, -1, 0), strict=True):
            if y0 == y1:
                continue
            crosses = (y0 > y) != (y1 > y)
            within ^= crosses & (x < x0 + (y - y0) * (x1 - x0) / (y1 - y0))
    return within


def distance_to(line: Array, points: Array) -> Array:
    """(P,): the distance of points (P, 2) to a line through n corners (n, 2), in metres."""
    nearest = np.full(len(points), np.inf)
    for start, end in pairwise(line):
        along = end - start
        share = np.clip((points - start) @ along / max(float(along @ along), 1e-12), 0, 1)
        nearest = np.minimum(nearest, np.linalg.norm(points - start - share[:, None] * along, axis=1))
    return nearest
