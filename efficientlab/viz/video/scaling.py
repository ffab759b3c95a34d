"""Data-parallel training on more and more workers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from efficientlab.viz.style import coloured

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def scaling_curves(workers: Sequence[int], panels: Mapping[str, Mapping[str, Sequence[float]]]) -> Figure:
    """One panel for each entry: a quantity against the number of workers, a line for each network."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, len(panels), figsize=(3.9 * len(panels), 2.9), squeeze=False)
    for ax, (label, lines) in zip(axes.flat, panels.items(), strict=True):
        for colour, (name, values) in coloured(lines.items()):
            ax.plot(workers, values, marker="o", ms=3.5, color=colour, label=name)
        ax.set_xscale("log", base=2)
        ax.set_xlabel("workers")
        ax.set_title(label)
    axes[0, 0].legend()
    return figure
