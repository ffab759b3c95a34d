"""Pictures of lab 2: tables of samples by configuration, and time against MACs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import torch.nn.functional as F
from torch import Tensor

from efficientlab.viz.gan.translation import picture_rows
from efficientlab.viz.style import BLUE, GREY, coloured, logarithmic

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def sample_rows(rows: Mapping[str, Tensor], count: int = 8) -> Figure:
    """One row of pictures for each entry, (N, 3, s, s) in about [−1, 1]; small ones are shown as large squares."""
    side = max(pictures.shape[-1] for pictures in rows.values())
    return picture_rows(
        {
            name: F.interpolate(pictures[:count].clamp(-1, 1), size=side, mode="nearest")
            for name, pictures in rows.items()
        },
        count,
    )


def time_against_macs(points: Mapping[str, Sequence[tuple[float, float]]]) -> Figure:
    """Times fewer MACs, times faster: points for each batch; where time follows MACs, it is the diagonal."""
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots(figsize=(5.6, 3.6))
    most = max(macs for line in points.values() for macs, _ in line)
    ax.plot([1, most], [1, most], ls="--", color=GREY, lw=1, label="time follows MACs")
    for colour, (name, line) in coloured(points.items()):
        ordered = sorted(line)
        ax.plot([m for m, _ in ordered], [t for _, t in ordered], "o", ms=4, color=colour, label=name)
    logarithmic(ax, "xy")
    ax.set_xlabel("times fewer MACs than the full generator")
    ax.set_ylabel("times faster")
    ax.legend()
    return figure


def trade_off(points: Mapping[str, tuple[float, float]], x: str, y: str) -> Figure:
    """Named points in a plane."""
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots(figsize=(4.6, 3.2))
    for name, (a, b) in points.items():
        ax.plot(a, b, "o", color=BLUE)
        ax.annotate(name, (a, b), xytext=(6, 4), textcoords="offset points", fontsize=9)
    ax.margins(0.4)
    ax.set_xlabel(x)
    ax.set_ylabel(y)
    return figure
