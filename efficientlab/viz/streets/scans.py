"""Scans of streets by label: a panel an answer, one legend, and what is wrong below."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from efficientlab.viz.points.clouds import palette, seen_from
from efficientlab.viz.style import GREY, RED, bare

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ELEVATION = 50.0  # degrees above the ground: high enough to look over the houses


def labelled(
    points: Tensor,
    answers: Mapping[str, Tensor],
    names: Sequence[str],
    truth: Tensor | None = None,
    reach: float = 24.0,
) -> Figure:
    """One scan as each answer labels it; with `truth`, its wrong points in red in a second row.

    Args:
        points: (3, P), in metres.
        answers: labels (P,) by title.
        names: of the labels: a label has one colour in all pictures, and the legend holds those that occur.
        truth: (P,).
        reach: metres from the sensor within which points are drawn.
    """
    import matplotlib.pyplot as plt
    from matplotlib.lines import Line2D

    near = points[:2].norm(dim=0).cpu() < reach
    place, nearness = seen_from(points[:, near], elevation=ELEVATION)
    order = nearness.argsort()  # the nearest points are painted last
    across, up = place[:, order].numpy()
    colours = palette(torch.arange(len(names)))
    wide, rows = 9.8 / max(1.6, len(answers)), 1 if truth is None else 2
    figure, axes = plt.subplots(
        rows, len(answers), figsize=(wide * len(answers), rows * 0.78 * wide + 0.5), squeeze=False
    )
    seen: set[int] = set()
    for column, (title, answer) in enumerate(answers.items()):
        mine = answer.cpu()[near][order]
        seen |= set(mine.tolist())
        _panel(axes[0, column], across, up, colours[mine.numpy()], 5.0, title)
        if truth is not None and answer is truth:
            axes[1, column].set_visible(False)
        elif truth is not None:
            wrong = (mine != truth.cpu()[near][order]).numpy()
            _panel(
                axes[1, column],
                across,
                up,
                np.where(wrong, RED, GREY),
                np.where(wrong, 9.0, 2.0),
                f"{wrong.mean():.1%} wrong",
            )
    dots = [Line2D([], [], ls="", marker="o", color=colours[k], label=names[k]) for k in sorted(seen)]
    figure.legend(
        handles=dots, loc="outside lower center", ncols=min(len(dots), int(figure.get_figwidth() / 1.1))
    )
    return figure


def _panel(
    ax: Axes,
    across: np.ndarray,
    up: np.ndarray,
    colours: np.ndarray,
    sizes: float | np.ndarray,
    title: str,
) -> None:
    ax.scatter(across, up, s=sizes, c=colours, linewidths=0)
    ax.set_aspect("equal")
    ax.set_title(title)
    bare(ax)
