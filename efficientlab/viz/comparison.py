"""Pictures that compare contestants: quality against cost, predictions against measurements, confusions."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from efficientlab.viz.style import BLUE, ORANGE, coloured, logarithmic, marked

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def quality_against_cost(
    quality: Mapping[str, Sequence[float]], costs: Mapping[str, Mapping[str, float]], quality_name: str
) -> Figure:
    """One panel for each cost (its name is the axis label), logarithmic; bars span the seeds' range.

    `quality[name]` holds one value a seed; `costs[axis label][name]` one number.
    """
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(
        1, len(costs), figsize=(3.7 * len(costs) + 1.8, 3.4), squeeze=False, sharey=True
    )
    for ax, (label, cost) in zip(axes.flat, costs.items(), strict=True):
        for style, seeds in marked(quality):
            values = torch.tensor(list(seeds), dtype=torch.float64)
            mean = values.mean().item()
            bars = [[mean - values.min().item()], [values.max().item() - mean]]
            ax.errorbar(
                cost[style["label"]], mean, yerr=bars, ls="none", ms=8, mfc="none", mew=2, capsize=3, **style
            )
        logarithmic(ax, "x")
        ax.set_xlabel(label)
    axes[0, 0].set_ylabel(quality_name)
    axes[0, -1].legend(loc="center left", bbox_to_anchor=(1.02, 0.5))
    return figure


def predicted_against_measured(
    predicted: Mapping[str, float | None],
    measured: Mapping[str, float],
    unit: str,
) -> Figure:
    """Paired bars: the student's prediction beside what was measured. What was not predicted has no bar."""
    import matplotlib.pyplot as plt

    names = list(measured)
    at = torch.arange(len(names)).numpy()
    figure, ax = plt.subplots(figsize=(1.15 * len(names) + 1.4, 2.7))
    guesses = [math.nan if (guess := predicted[n]) is None else guess for n in names]
    ax.bar(at - 0.2, guesses, 0.38, label="predicted", color=ORANGE, alpha=0.8)
    ax.bar(at + 0.2, [measured[n] for n in names], 0.38, label="measured", color=BLUE)
    ax.set_xticks(at, names)
    ax.set_ylabel(unit)
    ax.legend(ncols=2, loc="lower right", bbox_to_anchor=(1, 1))  # above: the bars may be anywhere
    return figure


def confusion_pictures(tables: Mapping[str, Tensor], names: Sequence[str]) -> Figure:
    """Confusion matrices (K, K), rows are true classes; the pairs that differ only in the arrow stand in boxes."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(
        1, len(tables), figsize=(3.1 * len(tables) + 1.2, 3.9), squeeze=False, sharey=True
    )
    for ax, (title, table) in zip(axes.flat, tables.items(), strict=True):
        share = table.double() / table.sum(1, keepdim=True).clamp_min(1)
        ax.imshow(share.numpy(), cmap="Blues", vmin=0, vmax=1)
        for k in range(0, len(names), 2):
            ax.add_patch(plt.Rectangle((k - 0.5, k - 0.5), 2, 2, fill=False, edgecolor=ORANGE, lw=1.5))
        ax.set_title(title)
        ax.set_xticks(range(len(names)), names, rotation=90, fontsize=7.5)
        ax.grid(False)
    axes[0, 0].set_yticks(range(len(names)), names, fontsize=7.5)
    return figure


def grouped_bars(groups: Mapping[str, Mapping[str, Sequence[float]]], quality_name: str) -> Figure:
    """A group of bars for each entry, one bar a contestant: the mean of its values, with their range."""
    import matplotlib.pyplot as plt

    names = list(next(iter(groups.values())))
    figure, ax = plt.subplots(figsize=(2.1 * len(groups) + 1.6, 2.8))
    width = 0.8 / len(names)
    for i, (colour, name) in enumerate(coloured(names)):
        values = torch.tensor([list(group[name]) for group in groups.values()], dtype=torch.float64)
        mean = values.mean(1)
        bars = torch.stack([mean - values.amin(1), values.amax(1) - mean])
        spread = bars.numpy() if bars.any() else None  # one value each has no range to draw
        at = torch.arange(len(groups)) + (i - (len(names) - 1) / 2) * width
        ax.bar(at.numpy(), mean.numpy(), 0.92 * width, yerr=spread, capsize=3, color=colour, label=name)
    ax.set_xticks(range(len(groups)), list(groups))
    ax.set_ylabel(quality_name)
    ax.set_ylim(0, 1)
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.12), ncols=len(names))
    return figure
