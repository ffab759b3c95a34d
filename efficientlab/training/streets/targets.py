"""What the heads are to say: heat around the centres of boxes, and boxes at their cells.

Zhou, Wang and Krähenbühl, "Objects as Points" (2019), with radii for the ground plane.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from efficientlab.datasets.streets.ragged import Ragged
from efficientlab.kernels import BEVGrid

RADIUS = 2
"""Cells around a centre that get heat. CenterNet's rule gives cars of half-metre cells about this, people less."""


class Targets(NamedTuple):
    """Attributes:
    heat: (N, classes, X, Y) in 0 … 1, exactly 1 at centres.
    street, cell: (T,) each: the street of every box, and its cell as x · Y + y.
    box: (T, 8), as `Outputs.box`.
    """

    heat: Tensor
    street: Tensor
    cell: Tensor
    box: Tensor


def make_targets(boxes: Ragged, classes: int, grid: BEVGrid) -> Targets:
    """Targets of boxes (ΣT, 8); those whose centre lies outside the grid are left out.

    Raises:
        ValueError: a box of no such class, or one whose length, width or height is not positive.
    """
    cells = grid.cells
    low = boxes.rows.new_tensor([grid.x[0], grid.y[0]])
    step = boxes.rows.new_tensor([grid.x[2], grid.y[2]])
    place = (boxes.rows[:, 1:3] - low) / step
    inside = ((place >= 0) & (place < place.new_tensor(cells))).all(1)
    kept = boxes.where(inside)
    place, rows, street = place[inside], kept.rows, kept.scene
    if not ((rows[:, 0] >= 0) & (rows[:, 0] < classes)).all():
        raise ValueError(f"boxes holds a class that is not among 0 … {classes - 1}")
    if not (rows[:, 4:7] > 0).all():
        raise ValueError("boxes holds a length, width or height that is not positive")
    cell = place.floor().long()
    yaw = rows[:, 7:]
    box = torch.cat([place - cell, rows[:, 3:4], rows[:, 4:7].log(), yaw.sin(), yaw.cos()], 1)
    return Targets(
        heat=_heat(street, rows[:, 0].long(), cell, (len(boxes), classes, *cells)),
        street=street,
        cell=cell[:, 0] * cells[1] + cell[:, 1],
        box=box,
    )


def _heat(street: Tensor, kind: Tensor, cell: Tensor, shape: tuple[int, int, int, int]) -> Tensor:
    """Gaussians of σ = (2 · radius + 1) / 6, the larger one where two meet."""
    heat = torch.zeros(shape, device=cell.device).flatten()
    around = torch.arange(-RADIUS, RADIUS + 1, device=cell.device)
    dx, dy = (d.flatten() for d in torch.meshgrid(around, around, indexing="ij"))
    value = torch.exp(-(dx**2 + dy**2) / (2 * ((2 * RADIUS + 1) / 6) ** 2))
    x, y = cell[:, :1] + dx, cell[:, 1:] + dy  # (T, 25)
    inside = (x >= 0) & (x < shape[2]) & (y >= 0) & (y < shape[3])
    place = (((street * shape[1] + kind)[:, None]) * shape[2] + x) * shape[3] + y
    heat.scatter_reduce_(0, place[inside], value.expand_as(place)[inside], "amax")
    return heat.view(shape)
