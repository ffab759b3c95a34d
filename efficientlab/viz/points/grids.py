"""What a grid keeps and costs as its resolution grows, and how well each part is found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import torch

from efficientlab.viz.style import coloured, marked

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def grid_curves(resolutions: Sequence[int], reports: Mapping[str, Sequence[Mapping[str, float]]]) -> Figure:
    """Three panels against R: points alone in their voxel, occupied voxels, bytes of the dense grid.

    `reports[name]` holds for each resolution the shares "alone" and "occupied", and "bytes".
    """
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 3, figsize=(10.2, 3.0))
    for style, rows in marked(reports):
        axes[0].plot(resolutions, [row["alone"] for row in rows], ms=4.5, **style)
        axes[1].plot(resolutions, [row["occupied"] for row in rows], ms=4.5, **style)
    axes[2].plot(
        resolutions, [row["bytes"] / 1e6 for row in next(iter(reports.values()))], marker="o", ms=3.5
    )
    titles = ("points alone in their voxel", "voxels that hold a point", "dense grid, MB")
    for ax, title in zip(axes, titles, strict=True):
        ax.set_xscale("log", base=2)
        ax.set_xticks(resolutions, map(str, resolutions))
        ax.set_xlabel("R")
        ax.set_title(title)
    axes[1].set_yscale("log")
    axes[2].set_yscale("log")
    axes[0].legend(fontsize=8)
    return figure


def part_bars(ious: Mapping[str, Sequence[float]], parts: Sequence[str]) -> Figure:
    """A group of bars for each part, one bar a contestant: `ious[contestant]` in the order of `parts`."""
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots(figsize=(1.1 * len(parts) + 1.2, 3.0))
    width = 0.8 / len(ious)
    at = torch.arange(len(parts))
    for i, (colour, (name, values)) in enumerate(coloured(ious.items())):
        place = at + (i - (len(ious) - 1) / 2) * width
        ax.bar(place.numpy(), values, 0.92 * width, color=colour, label=name)
    ax.set_xticks(at.numpy(), [part.replace(" ", "\n") for part in parts])
    ax.set_ylabel("IoU")
    ax.set_ylim(0, 1)
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=len(ious))
    return figure
