"""Occupied voxels, drawn: what a convolution writes, the pairs of its offsets, and a scan at one size of voxels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from efficientlab.kernels import downsample, find_voxels, kernel_map, occupied_voxels, reached_voxels
from efficientlab.models.streets.layers import in_voxels
from efficientlab.training.streets.miou import class_score, voxel_oracle
from efficientlab.viz.points.clouds import palette, scatter
from efficientlab.viz.style import BLUE, GREY, ORANGE, RED, bare

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TEN = ((-3, -2), (-2, -2), (-2, -1), (-1, -1), (-1, 0), (0, 0), (0, 1), (2, 2), (3, -2), (3, -3))
"""Ten voxels of a flat world, on both sides of 0: a line, and three that stand apart."""
REACH = 24.0  # metres from the sensor within which a scan is drawn


def ten_voxels() -> Figure:
    """Ten occupied voxels, and what three convolutions write: submanifold, strided and generalised."""
    import matplotlib.pyplot as plt

    coords = torch.tensor([[0, x, y, 0] for x, y in TEN])
    flat = (3, 3, 1)
    panels = (
        ("ten occupied voxels", coords, 1),
        ("submanifold 3×3: the same ten", coords, 1),
        ("kernel 2×2, stride 2", downsample(coords, (2, 2, 1)), 2),
        ("generalised 3×3: all it reaches", reached_voxels(coords, flat), 1),
    )
    figure, axes = plt.subplots(1, 4, figsize=(11.0, 3.0))
    for ax, (title, written, size), colour in zip(axes, panels, (GREY, BLUE, ORANGE, RED), strict=True):
        _squares(ax, coords, 1, GREY, 0.35)
        _squares(ax, written, size, colour, 0.55)
        ax.set_title(f"{title}\n{len(written)} voxels")
        ax.set_xlim(-5, 5)
        ax.set_ylim(-5, 5)
        ax.set_aspect("equal")
        ax.axhline(0, color=GREY, lw=0.6)
        ax.axvline(0, color=GREY, lw=0.6)
        bare(ax)
    return figure


def _squares(ax: Axes, coords: Tensor, size: int, colour: str, alpha: float) -> None:
    import matplotlib.pyplot as plt

    for _, x, y, _ in coords.tolist():
        corner, inset = (x * size, y * size), 0.06
        ax.add_patch(
            plt.Rectangle(
                (corner[0] + inset, corner[1] + inset),
                size - 2 * inset,
                size - 2 * inset,
                facecolor=colour,
                alpha=alpha,
                edgecolor=colour,
            )
        )


def pairs_per_offset(counts: Sequence[int]) -> Figure:
    """The pairs of a 3×3×3 kernel's 27 offsets, one panel for each step in z; x to the right, y up."""
    import matplotlib.pyplot as plt

    table = torch.tensor(counts).view(3, 3, 3)  # x, y, z
    figure, axes = plt.subplots(1, 3, figsize=(7.6, 2.7))
    for ax, z in zip(axes, range(3), strict=True):
        ax.imshow(table[:, :, z].T.numpy(), origin="lower", cmap="Blues", vmin=0, vmax=max(counts))
        for x in range(3):
            for y in range(3):
                dark = table[x, y, z] > 0.6 * max(counts)
                ax.text(
                    x, y, f"{int(table[x, y, z]):,}", ha="center", va="center", color="w" if dark else "k"
                )
        ax.set_title(("below", "same height", "above")[z])
        bare(ax)
    return figure


def voxel_size(points: Tensor, label: Tensor, classes: int, size: float) -> Figure:
    """One scan, its points by label, beside its voxels of `size` metres, and what they cost and keep.

    Shapes: points (3, P), in metres; label (P,).
    """
    import matplotlib.pyplot as plt

    at = in_voxels(points[None], size)
    coords = occupied_voxels(at)
    pairs = sum(kernel_map(coords, coords, 3).counts)
    best = voxel_oracle(points[None], label[None], size)[0]
    bound = class_score(best, label, classes).miou
    near = points[:2].norm(dim=0) < REACH
    middles = (coords[:, 1:].T + 0.5) * size  # (3, V)
    owner = find_voxels(coords, at.floor().int())  # (P,), the voxel of each point
    voxel_label = torch.zeros(len(coords), dtype=label.dtype).index_copy(0, owner.long(), best)
    colours = palette(torch.arange(classes))
    figure, axes = plt.subplots(1, 2, figsize=(10.4, 4.4))
    scatter(axes[0], points[:, near], colours[label[near].numpy()], 5.0)
    axes[0].set_title(f"{len(label):,} points by label")
    shown = middles[:2].norm(dim=0) < REACH
    scatter(axes[1], middles[:, shown], colours[voxel_label[shown].numpy()], 5.0 + 30 * size)
    axes[1].set_title(
        f"voxels of {size:g} m: {len(coords):,}, {pairs:,} pairs\n{pairs * 32 * 32 / 1e6:.1f} M MACs for 3×3×3, "
        f"32 → 32; oracle mIoU {bound:.1%}"
    )
    return figure
