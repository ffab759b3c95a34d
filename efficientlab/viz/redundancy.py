"""Pictures of what need not be computed: repeated pixels, repeated frames, empty voxels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from torch import Tensor

from efficientlab.viz.style import CYCLE, GREY, bare, marked

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def picture_row(pictures: Mapping[str, Tensor]) -> Figure:
    """Pictures (3, H, W) in 0 … 1 beside each other, under their titles."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, len(pictures), figsize=(2.2 * len(pictures), 2.0), squeeze=False)
    for ax, (title, picture) in zip(axes.flat, pictures.items(), strict=True):
        ax.imshow(picture.clamp(0, 1).permute(1, 2, 0).numpy())
        ax.set_title(title, fontsize=9)
        bare(ax)
    return figure


def variance_explained(
    explained: Mapping[str, Sequence[float]], ticks: Sequence[str], axis_name: str
) -> Figure:
    """What a guess knows of the truth, from 0 to 1, a line for each entry; `ticks` name its points."""
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots(figsize=(7.6, 2.9))
    _lines(ax, explained, range(len(ticks)))
    ax.axhline(0, color=GREY, lw=0.8)
    ax.set_xticks(range(len(ticks)), ticks)
    ax.set_xlabel(axis_name)
    ax.set_ylabel("variance explained")
    return figure


def scan_pictures(distances: np.ndarray, points: np.ndarray, reach: float = 30.0) -> Figure:
    """A scan as its sensor sees it, and from above. Shapes: distances (H, W) and points (P, 3) in metres."""
    import matplotlib.pyplot as plt
    import numpy as np

    figure, (seen, above) = plt.subplots(1, 2, figsize=(9.4, 2.7), width_ratios=(2.4, 1))
    shown = np.where(distances > 0, np.log(np.maximum(distances, 0.5)), np.nan)
    seen.imshow(shown, aspect="auto", cmap="viridis_r")
    seen.set_title("distances, beam by beam (white: nothing came back)", fontsize=9)
    near = points[np.abs(points[:, :2]).max(1) < reach]
    style: dict[str, Any] = {"s": 0.2, "cmap": "viridis", "vmin": -3, "vmax": 5}
    above.scatter(near[::4, 0], near[::4, 1], c=near[::4, 2], **style)
    above.set_title(f"from above, {2 * reach:.0f} m × {2 * reach:.0f} m", fontsize=9)
    above.set_aspect("equal")
    bare(seen)
    bare(above)
    return figure


def occupied_shares(shares: Mapping[str, Sequence[float]], sizes: Sequence[float]) -> Figure:
    """The share of voxels that hold a point against their size in metres, a line for each scan."""
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots(figsize=(6.4, 2.9))
    _lines(ax, shares, sizes)
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xticks(list(sizes), [f"{size:g}" for size in sizes])
    ax.xaxis.minorticks_off()
    ax.set_xlabel("edge of a voxel (m)")
    ax.set_ylabel("occupied voxels / all voxels")
    return figure


def _lines(ax: Axes, values: Mapping[str, Sequence[float]], at: Sequence[float]) -> None:
    """A line for each entry, all distinguishable, and their legend beside the axes."""
    for i, (style, line) in enumerate(marked(values)):
        ax.plot(at, line, ms=4, lw=1.1, ls="-" if i < len(CYCLE) else "--", **style)
    ax.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), fontsize=8)
