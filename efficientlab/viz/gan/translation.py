"""Pictures of translated drawings, of searches over configurations, and of the two players' losses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from efficientlab.viz.style import BLUE, GREY, ORANGE, RED, bare, coloured, logarithmic

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def picture_rows(rows: Mapping[str, Tensor], count: int = 12, inches: float = 0.62) -> Figure:
    """One row of pictures for each entry, its name at the left: the first `count` of (N, C, H, W) in [−1, 1].

    C is 1 for grey and 3 for colour, for each row on its own; `inches` is the edge of a picture.
    """
    import matplotlib.pyplot as plt

    strips = [torch.cat(list(pictures[:count]), 2) for pictures in rows.values()]  # (C, H, count · W) each
    figure, axes = plt.subplots(
        len(rows), 1, figsize=(inches * count + 1.9, 1.1 * inches * len(rows)), squeeze=False
    )
    for ax, name, strip in zip(axes.flat, rows, strips, strict=True):
        shown = strip[0] if len(strip) == 1 else sixteen_levels(strip)
        ax.imshow(shown.numpy(), cmap="gray", vmin=-1, vmax=1)
        ax.set_ylabel(name, rotation=0, ha="right", va="center", fontsize=9)
        bare(ax)
    return figure


def sixteen_levels(strip: Tensor) -> Tensor:
    """(3, H, W) in [−1, 1] → (H, W, 3) in [0, 1], rounded: hardly seen, and half the bytes of a notebook's picture."""
    return ((strip.movedim(0, 2) + 1) * 7.5).round() / 15


def player_losses(curves: Mapping[str, tuple[Sequence[float], Sequence[float]]], window: int = 25) -> Figure:
    """Both players' losses of each run, as running means over `window` steps: discriminator left, generator right."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(8.2, 2.7))
    for player, ax in enumerate(axes):
        for colour, (name, losses) in coloured(curves.items()):
            values = torch.tensor(list(losses[player]))
            running = values.unfold(0, min(window, len(values)), 1).mean(1)
            ax.plot(range(len(values) - len(running), len(values)), running, color=colour, label=name)
        ax.set_xlabel("step")
        ax.set_title(("the discriminator's loss", "the generator's loss")[player])
    axes[1].legend(loc="center left", bbox_to_anchor=(1.02, 0.5))
    return figure


def search_scatter(
    points: Mapping[str, Sequence[tuple[float, float]]],
    chosen: Mapping[str, tuple[float, float]],
    budget: float,
    quality_name: str,
) -> Figure:
    """Configurations as (million MACs, quality, lower is better): the lower front as a line, the chosen ringed."""
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots(figsize=(7.6, 3.5))
    for colour, (name, some) in zip((GREY, BLUE), points.items(), strict=False):
        ax.scatter([m for m, _ in some], [q for _, q in some], s=14, color=colour, alpha=0.7, label=name)
    front: list[tuple[float, float]] = []
    for point in sorted(p for some in points.values() for p in some):
        if not front or point[1] < front[-1][1]:
            front.append(point)
    ax.step([m for m, _ in front], [q for _, q in front], where="post", color=ORANGE, lw=1.2, label="front")
    for marker, (name, (macs, quality)) in zip("osD", chosen.items(), strict=False):
        ax.plot(macs, quality, marker, ms=13, mfc="none", mec=RED, mew=1.8, ls="none", label=name)
    ax.axvline(budget, color=GREY, lw=1, ls="--", label="budget")
    ax.set_xlabel("million MACs")
    ax.set_ylabel(quality_name)
    logarithmic(ax, "y")
    ax.legend(loc="center left", bbox_to_anchor=(1.02, 0.5))
    return figure


def search_curves(best: Mapping[str, Tensor], levels: Mapping[str, float], quality_name: str) -> Figure:
    """The best loss so far against evaluations, (searches, evaluations): the median, and a band over all searches.

    `levels` are drawn as dashed lines. The axis ends above the highest of them: what lies beyond are first guesses.
    """
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots(figsize=(6.4, 3.2))
    for colour, (name, curves) in coloured(best.items()):
        tried = range(1, curves.shape[1] + 1)
        ax.plot(tried, curves.median(0).values, color=colour, label=name)
        ax.fill_between(tried, curves.amin(0), curves.amax(0), color=colour, alpha=0.2, lw=0)
    for colour, (name, level) in zip((RED, GREY), levels.items(), strict=False):
        ax.axhline(level, color=colour, lw=1, ls="--", label=name)
    ax.set_ylim(top=1.15 * max(levels.values()))
    ax.set_xlabel("configurations evaluated")
    ax.set_ylabel(quality_name)
    ax.legend(loc="center left", bbox_to_anchor=(1.02, 0.5))
    return figure
