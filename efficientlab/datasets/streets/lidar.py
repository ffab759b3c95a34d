"""A spinning LiDAR: a column of beams that turns about the vertical, each measuring one distance at each angle."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from efficientlab.datasets.streets.casting import NOTHING, first_hits
from efficientlab.datasets.streets.scene import Scene
from efficientlab.datasets.streets.solids import Array, Ints
from efficientlab.datasets.streets.things import LABELS


@dataclass(frozen=True)
class Lidar:
    """The sensor and its errors. At most beams × columns points come back, about 4,100 with these numbers.

    Attributes:
        beams: H, spread evenly from `lowest` to `highest`.
        columns: W, angles of one turn.
        lowest, highest: altitudes, in radians.
        height: of the sensor above the rig's origin, in metres.
        reach: the farthest distance that is measured, in metres.
        noise: standard deviation of a distance, in metres.
        lost: the share of returns that do not come back at all; at `reach` three times as many.
    """

    beams: int = 32
    columns: int = 144
    lowest: float = -0.38
    highest: float = 0.09
    height: float = 1.8
    reach: float = 35.0
    noise: float = 0.02
    lost: float = 0.03

    def __post_init__(self) -> None:
        if self.beams < 1 or self.columns < 1:
            raise ValueError(f"beams and columns must be positive; got {self.beams} and {self.columns}")
        if not -np.pi / 2 < self.lowest <= self.highest < np.pi / 2:
            raise ValueError(f"altitudes must rise between ±π/2; got {self.lowest} and {self.highest}")
        if min(self.height, self.reach) <= 0 or self.noise < 0 or not 0 <= self.lost <= 1 / 3:
            raise ValueError(
                f"height and reach must be positive, noise not negative and lost in [0, 1/3]; got "
                f"{self.height}, {self.reach}, {self.noise} and {self.lost}"
            )


@dataclass(frozen=True)
class Sweep:
    """One turn of a sensor: P points came back, by beam and then by angle.

    Attributes:
        points: float32 (P, 3), metres in the rig's frame: x ahead, y to the left, z up, the origin below the sensor.
        label: int64 (P,), index into `LABELS`: what the point lies on.
        thing: int64 (P,), number of the scene's thing, or −1.
        beam: int64 (P,): 0 is the lowest.
        column: int64 (P,): neighbouring numbers are neighbouring angles.
    """

    points: NDArray[np.float32]
    label: Ints
    thing: Ints
    beam: Ints
    column: Ints

    def __len__(self) -> int:
        return len(self.points)


def scan(scene: Scene, lidar: Lidar | None = None, seed: int = 0) -> Sweep:
    """Measures a scene. Another seed is another turn of the same sensor: another starting angle, other errors.

    A solid that the sensor stands in is not seen.
    """
    lidar = lidar or Lidar()
    rng = np.random.default_rng([*scene.seed, 1, seed])
    shape = (lidar.beams, lidar.columns)
    start = rng.random()
    # Drawn for every ray, whether it returns or not, so that all later numbers stay in their place.
    error, luck = lidar.noise * rng.standard_normal(shape).ravel(), rng.random(shape).ravel()
    rays = _rays(lidar, start)  # (R, 3)
    origin = scene.turn @ np.array([0.0, 0.0, lidar.height])
    hits = first_hits(scene.solids, origin, rays @ scene.turn.T)
    measured = np.where(np.isfinite(hits.distance), hits.distance, 0.0)
    share = measured / lidar.reach
    kept = (hits.solid != NOTHING) & (share < 1) & (luck >= lidar.lost * (1 + 2 * share**2))
    points = (measured + error)[:, None] * rays + np.array([0.0, 0.0, lidar.height])
    solid = hits.solid[kept]
    label = np.where(solid >= 0, scene.solids.label[solid], LABELS.index("road"))
    beam, column = np.divmod(np.flatnonzero(kept), lidar.columns)
    return Sweep(
        points=points[kept].astype(np.float32),
        label=label,
        thing=np.where(solid >= 0, scene.solids.thing[solid], -1),
        beam=beam,
        column=column,
    )


def _rays(lidar: Lidar, start: float) -> Array:
    """Unit vectors (H · W, 3) in the rig's frame; the first column stands at `start` of a step from −π."""
    altitude = np.linspace(lidar.lowest, lidar.highest, lidar.beams)[:, None]
    azimuth = (np.arange(lidar.columns) + start) / lidar.columns * 2 * np.pi - np.pi
    flat = np.cos(altitude)
    return np.stack(
        np.broadcast_arrays(flat * np.cos(azimuth), flat * np.sin(azimuth), np.sin(altitude)), -1
    ).reshape(-1, 3)
