"""Pictures of what need not be computed: repeated pixels, repeated frames, empty voxels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from torch import Tensor

from efficientlab.viz.style import CYCLE, GREY, MARKERS, bare

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def coarse_pictures(
    pictures: Mapping[str, Tensor], kept: Sequence[float], explained: Mapping[str, Sequence[float]]
) -> Figure:
    """One picture at several resolutions, and the variance that each keeps, a line for each image.

    Shapes: pictures (3, H, W) in 0 … 1.
    """
    import matplotlib.pyplot as plt

    figure = plt.figure(figsize=(8.6, 3.9))
    grid = figure.add_gridspec(2, len(pictures), height_ratios=(1, 1.35))
    for column, (title, picture) in enumerate(pictures.items()):
        ax = figure.add_subplot(grid[0, column])
        ax.imshow(picture.clamp(0, 1).permute(1, 2, 0).numpy())
        ax.set_title(title, fontsize=9)
        bare(ax)
    ax = figure.add_subplot(grid[1, :])
    for i, (name, values) in enumerate(explained.items()):
        style: dict[str, Any] = {"color": CYCLE[i % len(CYCLE)], "marker": MARKERS[i % len(MARKERS)]}
        ax.plot(kept, values, ms=4, lw=1.1, label=name, **style)
    _shares_kept(ax, kept)
    ax.set_ylabel("variance explained")
    ax.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), fontsize=8)
    return figure


def _shares_kept(ax: Axes, kept: Sequence[float]) -> None:
    ax.set_xscale("log", base=2)
    ax.set_xticks(list(kept), [f"1/{1 / share:.0f}" if share < 1 else "all" for share in kept])
    ax.invert_xaxis()
    ax.set_ylim(0, 1.03)
    ax.set_xlabel("share of the numbers that are kept")


def frames_against_distance(explained: Mapping[str, Sequence[float]], distances: Sequence[int]) -> Figure:
    """How much of a frame's variance the frame d before it explains, a line for each video."""
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots(figsize=(7.4, 2.9))
    for i, (name, values) in enumerate(explained.items()):
        style: dict[str, Any] = {"color": CYCLE[i % len(CYCLE)], "marker": MARKERS[i % len(MARKERS)]}
        ax.plot(distances, values, ms=4, lw=1.1, label=name, **style)
    ax.set_xscale("log", base=2)
    ax.set_xticks(list(distances), [str(d) for d in distances])
    ax.axhline(0, color=GREY, lw=0.8)
    ax.set_xlabel("frames ago")
    ax.set_ylabel("variance explained")
    ax.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), fontsize=8)
    return figure


def empty_space(
    distances: np.ndarray, points: np.ndarray, sizes: Sequence[float], occupied: Mapping[str, Sequence[float]]
) -> Figure:
    """A scan as its sensor sees it and from above, and the share of voxels that hold a point, by their size.

    Shapes: distances (H, W) in metres, points (P, 3); occupied[name] has a share for each of `sizes` (metres).
    """
    import matplotlib.pyplot as plt
    import numpy as np

    figure = plt.figure(figsize=(8.6, 4.6))
    grid = figure.add_gridspec(2, 2, height_ratios=(1, 2.5), width_ratios=(1, 1.35))
    ax = figure.add_subplot(grid[0, :])
    shown = np.where(distances > 0, np.log(np.maximum(distances, 0.5)), np.nan)
    ax.imshow(shown, aspect="auto", cmap="viridis_r")
    ax.set_title("distances, beam by beam (white: nothing came back)", fontsize=9)
    bare(ax)
    ax = figure.add_subplot(grid[1, 0])
    near = points[np.abs(points[:, :2]).max(1) < 30]
    ax.scatter(
        near[::4, 0], near[::4, 1], c=near[::4, 2], s=0.2, cmap="viridis", vmin=-3, vmax=5, rasterized=True
    )
    ax.set_title("from above, 60 m × 60 m", fontsize=9)
    ax.set_aspect("equal")
    bare(ax)
    ax = figure.add_subplot(grid[1, 1])
    for i, (name, shares) in enumerate(occupied.items()):
        ax.plot(sizes, shares, marker=MARKERS[i], color=CYCLE[i], ms=4, lw=1.1, label=name)
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xticks(list(sizes), [f"{size:g}" for size in sizes])
    ax.minorticks_off()
    ax.set_xlabel("edge of a voxel (m)")
    ax.set_ylabel("occupied voxels / all voxels")
    ax.legend(fontsize=8)
    return figure
