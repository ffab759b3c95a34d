"""What a wrong calibration does: points beside the things that they were measured on, and maps that follow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from torch import Tensor

from efficientlab.datasets.streets.labels import GRID
from efficientlab.datasets.streets.views import Views
from efficientlab.kernels import BEVGrid
from efficientlab.viz.streets.cameras import name_of, seen_at
from efficientlab.viz.streets.ground import draw_map
from efficientlab.viz.style import bare

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def calibration_picture(
    views: Views, maps: Mapping[str, Tensor], camera: int = 0, grid: BEVGrid = GRID
) -> Figure:
    """A camera's picture with the LiDAR's points where its matrices say that they are, and maps beside it.

    Args:
        views: a set of one street, with matrices as they are believed.
        maps: by title areas, bool (K, X, Y).
        camera: which picture.
        grid: the cells of the maps.
    """
    import matplotlib.pyplot as plt

    figure, (left, *others) = plt.subplots(
        1, 1 + len(maps), figsize=(6.0 + 2.6 * len(maps), 2.9), width_ratios=(2.2, *[1] * len(maps))
    )
    height, width = views.image.shape[-2:]
    left.imshow(views.image[0, camera].permute(1, 2, 0).numpy())
    u, v, depth = seen_at(views.points.rows[:, :3], views, camera).unbind(1)
    seen = (depth > 0.3) & (u > -0.5) & (u < width - 0.5) & (v > -0.5) & (v < height - 0.5)
    left.scatter(
        u[seen].tolist(), v[seen].tolist(), s=5, c=depth[seen].tolist(), cmap="viridis_r", vmin=0, vmax=25
    )
    left.set_xlim(-0.5, width - 0.5)
    left.set_ylim(height - 0.5, -0.5)
    left.set_title(f"{name_of(camera)}: the LiDAR's points, as believed")
    bare(left)
    for ax, (name, areas) in zip(others, maps.items(), strict=True):
        draw_map(ax, areas, grid)
        ax.set_title(name)
        bare(ax)
    return figure
