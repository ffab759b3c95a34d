"""Drawn streets as a batch of labelled clouds: what the networks of lab 6 learn from."""

from __future__ import annotations

import numpy as np
import torch

from efficientlab.datasets.points.clouds import Clouds
from efficientlab.datasets.splits import SPLITS, check_split
from efficientlab.datasets.streets.lidar import Lidar, scan
from efficientlab.datasets.streets.scene import draw_scene


def street_clouds(
    split: str, scans: int, *, points: int = 2048, seed: int = 0, lidar: Lidar | None = None
) -> Clouds:
    """Draws `scans` streets, measures each once, and keeps `points` of the points that come back.

    Points are in metres, in the frame of the rig; `part` indexes `things.LABELS`; there is nothing else, so `extra` has
    no channels. A split's streets depend on the seed and their place alone: the first n of many are the n of few.

    Raises:
        ValueError: an unknown split, scans or points not positive, or a scan with fewer points.
    """
    check_split(split)
    if scans < 1 or points < 1:
        raise ValueError(f"scans and points must be positive; got {scans} and {points}.")
    x = np.empty((scans, 3, points), np.float32)
    label = np.empty((scans, points), np.int64)
    for i in range(scans):
        numbers = (seed, SPLITS.index(split), i)
        sweep = scan(draw_scene(numbers), lidar)
        if len(sweep) < points:
            raise ValueError(f"a scan has {len(sweep):,} points; {points:,} cannot be kept.")
        kept = np.random.default_rng([*numbers, 2]).permutation(len(sweep))[:points]
        x[i], label[i] = sweep.points[kept].T, sweep.label[kept]
    nothing = torch.zeros(scans, 0, points)
    return Clouds(
        torch.from_numpy(x), nothing, torch.from_numpy(label), torch.zeros(scans, dtype=torch.int64)
    )
