"""Signed distances to solids: another way to say where a surface is than the one that rays are cast by."""

import numpy as np
from numpy.typing import NDArray

from efficientlab.datasets.streets.solids import Solids

Array = NDArray[np.float64]


def signed_distance(solids: Solids, points: Array) -> Array:
    """(P, S): from every point (P, 3) to every solid, negative inside."""
    cosine, sine = np.cos(solids.yaw), np.sin(solids.yaw)
    x, y, z = (points[:, None] - solids.centre).transpose(2, 0, 1)  # (P, S) each
    own = np.stack([cosine * x + sine * y, cosine * y - sine * x, z], -1)
    outside = np.abs(own) - solids.half  # (P, S, 3)
    box = np.linalg.norm(np.maximum(outside, 0), axis=-1) + np.minimum(outside.max(-1), 0)
    radial = np.hypot(own[..., 0], own[..., 1]) - solids.half[:, 0]
    pair = np.stack([radial, outside[..., 2]], -1)
    tube = np.linalg.norm(np.maximum(pair, 0), axis=-1) + np.minimum(pair.max(-1), 0)
    return np.where(solids.round, tube, box)


def march(solids: Solids, origin: Array, ray: Array, reach: float) -> tuple[float, int]:
    """How far a unit ray goes until it is within a micrometre of something, and of what; −1 is the ground."""
    travelled = 0.0
    while travelled < reach:
        at = origin + travelled * ray
        each = np.append(signed_distance(solids, at[None])[0], at[2])
        if each.min() < 1e-6:
            return travelled, int(each.argmin()) if each.argmin() < len(solids) else -1
        travelled += float(each.min())
    return np.inf, -2
