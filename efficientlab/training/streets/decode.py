"""From what the heads say to boxes: the peaks of the heat, and the numbers at their cells."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from efficientlab.datasets.streets.ragged import Ragged
from efficientlab.kernels import BEVGrid
from efficientlab.models.streets.bevfusion import Outputs
from efficientlab.training.finite import finite


def decode(outputs: Outputs, grid: BEVGrid, *, most: int = 100, least: float = 0.02) -> Ragged:
    """Boxes (ΣT, 9) of N streets: class, x, y, z, length, width, height, yaw, and the score in 0 … 1.

    A cell is a peak if none of its eight neighbours has more heat of the same class; this takes the place of
    comparing boxes that overlap.

    Args:
        outputs: of the network.
        grid: of the cells.
        most: boxes a street, the best of all classes.
        least: score that a box has to reach.

    Raises:
        ValueError: a score is NaN.
    """
    heat = finite(outputs.heat.sigmoid(), "scores of boxes")
    peak = heat == F.max_pool2d(heat, 3, stride=1, padding=1)
    score, place = (heat * peak).flatten(1).topk(min(most, heat[0].numel()), 1)  # (N, most)
    street, rank = (score >= least).nonzero(as_tuple=True)
    score, place = score[street, rank], place[street, rank]
    columns, rows = grid.cells
    kind, cell = place // (columns * rows), place % (columns * rows)
    own = outputs.box.flatten(2)[street, :, cell]  # (T, 8)
    x = grid.x[0] + grid.x[2] * (cell // rows + own[:, 0])
    y = grid.y[0] + grid.y[2] * (cell % rows + own[:, 1])
    yaw = torch.atan2(own[:, 6], own[:, 7])
    found = torch.stack([kind.to(x), x, y, own[:, 2], *own[:, 3:6].exp().unbind(1), yaw, score], 1)
    return Ragged(found, torch.bincount(street, minlength=len(heat)))
