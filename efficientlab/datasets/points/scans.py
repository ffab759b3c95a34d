"""Real LiDAR scans: single turns of spinning sensors, out of Ouster's SDK (BSD 3-clause; data/README.md).

A spinning LiDAR turns a column of beams about its axis, and each beam measures one distance at each of W
angles. A scan is therefore stored as the sensor gave it, an image of distances, which is several times smaller
than the points that follow from it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from efficientlab.datasets.files import data_path, manifest

Array = NDArray[np.float32]

METRES_PER_STEP = 0.008
"""Resolution of the stored distances; the sensors' own error is a centimetre and more."""


@dataclass(frozen=True)
class Scan:
    """One turn of a sensor. P points came back of H beams × W angles.

    Attributes:
        points: float32 (P, 3): x ahead, y to the left, z up, in metres; the sensor stands at the origin.
        reflectivity: float32 (P,) in 0 … 1: 100/255 and below grow linearly with the share of light that a matt
            surface returns; above are retroreflectors, such as traffic signs, on a logarithmic scale.
        beam: int64 (P,): the row of H that measured the point, 0 the topmost.
        distances: float32 (H, W): metres from the sensor, 0 where nothing came back; neighbouring columns are
            neighbouring angles.
    """

    name: str
    points: Array
    reflectivity: Array
    beam: NDArray[np.int64]
    distances: Array


def scan_names() -> tuple[str, ...]:
    """Names of the shipped scans, in order."""
    files = sorted(name for name in manifest() if name.startswith("scans/"))
    return tuple(name.removeprefix("scans/").removesuffix(".npz") for name in files)


def load_scan(name: str) -> Scan:
    """One of the shipped scans: "crossing", "lot", "office" or "street".

    Raises:
        ValueError: there is no scan of this name, or its file is damaged.
        FileNotFoundError: the file is missing.
    """
    if name not in scan_names():
        raise ValueError(f"no scan is called {name!r}; there are {', '.join(scan_names())}.")
    with np.load(data_path(f"scans/{name}.npz"), allow_pickle=False) as stored:
        steps, reflectivity = stored["distance"], stored["reflectivity"]  # (H, W) each
        altitude, azimuth = np.radians(stored["altitude"]), np.radians(stored["azimuth"])  # (H,) each
        arm, height = stored["arm_and_height"]
    distance = steps * METRES_PER_STEP
    points = beams_to_points(distance, altitude, azimuth, float(arm), float(height))  # (H, W, 3)
    seen = steps > 0
    width = steps.shape[1]
    columns = np.arange(width) - np.rint(azimuth / (2 * np.pi) * width).astype(int)[:, None]  # (H, W)
    return Scan(
        name=name,
        points=points[seen].astype(np.float32),
        reflectivity=reflectivity[seen].astype(np.float32) / 255,
        beam=np.nonzero(seen)[0],
        distances=np.take_along_axis(distance, columns % width, 1).astype(np.float32),
    )


def beams_to_points(
    distance: NDArray[np.float64],
    altitude: NDArray[np.float64],
    azimuth: NDArray[np.float64],
    arm: float,
    height: float,
) -> NDArray[np.float64]:
    """Points (H, W, 3) of distances (H, W), as Ouster's manual defines them (section "Coordinate frames").

    At column w the head has turned by θ = 2π (1 - w / W). Beam h leaves at azimuth θ - azimuth[h] and
    altitude[h], in radians, from the end of an `arm` at θ; distances count from the axis along both. The sensor's
    frame looks the other way than the head's, and lies `height` below it. Lengths in metres.
    """
    turn = 2 * np.pi * (1 - np.arange(distance.shape[1]) / distance.shape[1])  # (W,)
    direction = turn - azimuth[:, None]  # (H, W)
    beyond = distance - arm
    x = beyond * np.cos(direction) * np.cos(altitude)[:, None] + arm * np.cos(turn)
    y = beyond * np.sin(direction) * np.cos(altitude)[:, None] + arm * np.sin(turn)
    z = beyond * np.sin(altitude)[:, None] + height
    return np.stack([-x, -y, z], -1)
