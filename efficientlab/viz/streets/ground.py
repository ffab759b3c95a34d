"""The ground from above: maps, boxes, points and features, x up and y to the left, as one drives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from efficientlab.datasets.streets.labels import CLASSES, GRID, MAPS
from efficientlab.datasets.streets.views import Views
from efficientlab.kernels import BEVGrid
from efficientlab.viz.streets.cameras import corners, name_of, seen_at
from efficientlab.viz.style import CYCLE, GREY, RED, bare, coloured

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLOURS = ((0.80, 0.80, 0.82), (0.95, 0.75, 0.30), (0.80, 0.45, 0.40), (0.20, 0.45, 0.75))


def upright(cells: Tensor) -> np.ndarray:
    """Cells (X, Y) as a picture whose rows go from far ahead to far behind, columns from left to right."""
    return cells.flip(0, 1).numpy()


def extent(grid: BEVGrid) -> tuple[float, float, float, float]:
    """For `imshow`: y at the left and the right edge, x at the lower and the upper."""
    return grid.y[1], grid.y[0], grid.x[0], grid.x[1]


def draw_map(ax: Axes, areas: Tensor, grid: BEVGrid = GRID) -> None:
    """Areas, bool (K, X, Y), painted over one another."""
    picture = np.ones((*grid.cells, 3))
    for area, colour in zip(areas, _COLOURS, strict=True):
        picture[upright(area)] = colour
    ax.imshow(picture, extent=extent(grid))
    ax.grid(False)


def draw_boxes(ax: Axes, boxes: Tensor) -> None:
    """Outlines of boxes (T, 8 or more), in the colours of their classes, the last on top."""
    for box, kind in zip(corners(boxes)[:, :4, :2], boxes[:, 0].long().tolist(), strict=True):
        x, y = box[[0, 1, 3, 2, 0]].T.tolist()
        ax.plot(y, x, color=CYCLE[kind % len(CYCLE)], lw=1.2)


def ground_pictures(views: Views, found: Mapping[str, tuple[Tensor, Tensor]], grid: BEVGrid = GRID) -> Figure:
    """One street from above: points and truth at the left, then what each contestant says.

    Args:
        views: a set of one street.
        found: by contestant the areas, bool (K, X, Y), and the boxes (T, 9). Boxes of a score below 0.3 are not drawn;
            where classes are found at one place, the surest lies on top.
        grid: the cells.
    """
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 1 + len(found), figsize=(3.4 * (1 + len(found)), 3.9), squeeze=False)
    first, *others = axes[0]
    draw_map(first, views.map[0], grid)
    points = views.points.rows
    first.scatter(points[:, 1].tolist(), points[:, 0].tolist(), s=0.3, color="black", alpha=0.5)
    draw_boxes(first, views.boxes.rows)
    first.set_title("truth and LiDAR points")
    first.set_xlabel("metres to the left")
    first.set_ylabel("metres ahead")
    for ax, (name, (areas, boxes)) in zip(others, found.items(), strict=True):
        draw_map(ax, areas, grid)
        rising = boxes[boxes[:, 8].argsort()]
        draw_boxes(ax, rising[rising[:, 8] >= 0.3])
        ax.set_title(name)
    for ax in axes[0]:
        ax.set_xlim(*extent(grid)[:2])
        ax.set_ylim(*extent(grid)[2:])
    for kind, name in enumerate(CLASSES):
        first.plot([], [], color=CYCLE[kind], lw=3, label=name)
    for colour, name in zip(_COLOURS, MAPS, strict=True):
        first.plot([], [], "s", color=colour, label=name)
    figure.legend(loc="outside lower center", ncols=len(CLASSES) + len(MAPS))
    return figure


def feature_pictures(features: Mapping[str, Tensor], grid: BEVGrid = GRID) -> Figure:
    """How strong features (C, X, Y) are in each cell: the length of the vector over C, each on its own scale."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, len(features), figsize=(3.1 * len(features), 3.2), squeeze=False)
    for ax, (name, values) in zip(axes[0], features.items(), strict=True):
        strength = values.norm(dim=0)
        top = max(float(strength.quantile(0.99)), 1e-6)
        ax.imshow(upright(strength), extent=extent(grid), cmap="magma", vmin=0, vmax=top)
        ax.set_title(name)
        bare(ax)
    return figure


def pixel_on_the_ground(
    views: Views, points: Tensor, camera: int = 0, column: int = 12, row: int = 5, grid: BEVGrid = GRID
) -> Figure:
    """One cell of a camera's feature map, and where on the ground its candidate depths lie.

    Args:
        views: a set of one street.
        points: (M, D, h, w, 3), where the depths of all cells lie, in the rig's frame.
        camera, column, row: which cell.
        grid: the cells on the ground.
    """
    import matplotlib.pyplot as plt

    mine = points[camera, :, row, column]  # (D, 3)
    inside = ((mine[:, :2].abs() < grid.x[1]) & (mine[:, 2:] >= grid.z[0]) & (mine[:, 2:] < grid.z[1])).all(1)
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), width_ratios=(2.2, 1))
    left.imshow(views.image[0, camera].permute(1, 2, 0).numpy())
    u, v, _ = seen_at(mine, views, camera).mean(0).tolist()
    left.plot(u, v, "s", ms=9, mfc="none", mec=RED, mew=2)
    left.set_title(f"{name_of(camera)}, feature column {column}, row {row}")
    bare(left)
    draw_map(right, views.map[0], grid)
    for keep, colour in ((inside, RED), (~inside, GREY)):
        right.plot(mine[keep, 1].tolist(), mine[keep, 0].tolist(), ".", color=colour, ms=5)
    right.set_xlim(*extent(grid)[:2])
    right.set_ylim(*extent(grid)[2:])
    right.set_title("its depths on the ground")
    right.set_xlabel("metres to the left")
    right.set_ylabel("metres ahead")
    return figure


def error_curves(
    errors: Mapping[str, tuple[list[float], Mapping[str, list[float]], Mapping[str, list[float]]]],
) -> Figure:
    """mIoU above and mAP below against errors of the calibration, one column for each kind of error.

    `errors[label]` holds the errors, and by contestant mIoU and mAP at each.
    """
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(2, len(errors), figsize=(4.2 * len(errors), 5.0), squeeze=False, sharey="row")
    for k, (label, (values, iou, precision)) in enumerate(errors.items()):
        for ax, scores in zip(axes[:, k], (iou, precision), strict=True):
            for colour, (name, curve) in coloured(scores.items()):
                ax.plot(values, curve, "o-", color=colour, ms=3.5, label=name)
        axes[1, k].set_xlabel(label)
    axes[0, 0].set_ylabel("mIoU of the map (%)")
    axes[1, 0].set_ylabel("mAP of the boxes (%)")
    axes[0, 0].legend()
    return figure


def said(logits: Tensor, thresholds: Tensor) -> Tensor:
    """bool (K, X, Y): where logits (K, X, Y) pass, as probabilities, the threshold of their class (K,)."""
    return torch.sigmoid(logits) >= thresholds[:, None, None]
