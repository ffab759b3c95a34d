"""Generated clouds for part segmentation: points on made-up objects, each labelled with its part.

As in ShapeNet-Part, every category has parts of its own, and all objects stand upright. Many parts are smaller than a
voxel of a coarse grid (bulbs, hinges, mirrors, pegs, the rim of a mug), so that a network has to know where exactly
a point lies as well as what is around it.
"""

from __future__ import annotations

import numpy as np
import torch

from efficientlab.datasets.points.clouds import Clouds, PartNames
from efficientlab.datasets.points.shapes import PARTS, SHAPES
from efficientlab.datasets.points.surfaces import rotation, sample_surfaces
from efficientlab.datasets.splits import SPLITS, check_split

PART_NAMES = PartNames(PARTS)

LEAST = 0.012
"""The share of points that each surface of an object gets at least, however small: 12 of 1,024."""
YAW = np.pi / 6
"""Objects are turned about the vertical by up to this angle."""
STRETCH = (0.8, 1.25)
"""Each axis of an object is scaled by a factor between these."""
NOISE = 0.004
"""Standard deviation of a point's place, in the unit of the cloud, whose farthest point is at distance 1."""
NORMAL_NOISE = 0.15
"""Standard deviation of a unit normal's error along each axis, in the root mean square 12°: as of estimates."""


def part_clouds(split: str, clouds: int, *, points: int = 1024, seed: int = 0) -> Clouds:
    """Draws `clouds` labelled objects of `points` points each; categories take turns.

    Clouds are centred on the mean of their points and scaled so that the farthest is at distance 1. `extra` holds unit
    normals with an error, as if estimated from a scan. A split's clouds depend on the seed and their place alone: the
    first n of many are the n of few.

    Raises:
        ValueError: unknown split, or clouds or points not positive.
    """
    check_split(split)
    if clouds < 1 or points < 1:
        raise ValueError(f"clouds and points must be positive; got {clouds} and {points}.")
    x = np.empty((clouds, 3, points), np.float32)
    normals = np.empty((clouds, 3, points), np.float32)
    part = np.empty((clouds, points), np.int64)
    for i in range(clouds):
        rng = np.random.default_rng([seed, SPLITS.index(split), i])
        x[i], normals[i], part[i] = _cloud(tuple(SHAPES)[i % len(SHAPES)], points, rng)
    category = torch.arange(clouds) % len(SHAPES)
    return Clouds(torch.from_numpy(x), torch.from_numpy(normals), torch.from_numpy(part), category)


def _cloud(category: str, points: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One object: points (3, P), normals (3, P), labels (P,)."""
    placed = SHAPES[category](rng)
    x, normals, surface = sample_surfaces(placed, points, rng, LEAST)
    labels = np.array([PART_NAMES.label(category, p.part) for p in placed])[surface]
    stretch = rng.uniform(*STRETCH, 3)
    turn = rotation("z", rng.uniform(-YAW, YAW))
    x = (x * stretch) @ turn.T
    normals = (normals / stretch) @ turn.T  # a normal is stretched by the inverse
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    x -= x.mean(0)
    x /= np.linalg.norm(x, axis=1).max()
    x += NOISE * rng.standard_normal(x.shape)
    normals += NORMAL_NOISE * rng.standard_normal(normals.shape)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    order = rng.permutation(points)
    return x[order].T, normals[order].T, labels[order]
