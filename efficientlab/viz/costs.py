"""Pictures of costs: where the MACs are, what a counter sees, what a careless clock says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import torch

from efficientlab.viz.style import BLUE, GREY, ORANGE, coloured, marked

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from efficientlab.counters import Ratio


def stacked_parts(counts: Mapping[str, Mapping[str, float]], unit: str) -> Figure:
    """One horizontal bar for each entry, made of its named parts; the same part has the same colour."""
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots(figsize=(8.4, 0.55 * len(counts) + 1.3))
    seen: set[str] = set()
    names = dict.fromkeys(part for parts in counts.values() for part in parts)
    colours = {part: colour for colour, part in coloured(names)}
    for row, parts in enumerate(counts.values()):
        left = 0.0
        for part, value in parts.items():
            label = None if part in seen else part
            ax.barh(row, value, 0.62, left=left, color=colours[part], label=label, edgecolor="white")
            seen.add(part)
            left += value
        ax.text(left, row, f" {left:.2f}", va="center")
    ax.set_yticks(range(len(counts)), list(counts))
    ax.invert_yaxis()
    ax.set_xlabel(unit)
    ax.margins(x=0.09)
    ax.grid(axis="y", visible=False)
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.32), ncols=len(colours))
    return figure


def shares_seen(shares: Mapping[str, float]) -> Figure:
    """How much of each entry's MACs a counter saw, from 0 to 1."""
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots(figsize=(7.6, 0.34 * len(shares) + 0.8))
    at = range(len(shares))
    ax.barh(at, [1.0] * len(shares), 0.7, color=GREY, alpha=0.25, label="all")
    ax.barh(at, list(shares.values()), 0.7, color=BLUE, label="seen")
    for row, share in enumerate(shares.values()):
        ax.text(1.01, row, f"{100 * share:.0f} %", va="center")
    ax.set_yticks(list(at), list(shares))
    ax.invert_yaxis()
    ax.set_xlim(0, 1.1)
    ax.set_xlabel("share of the MACs that hooks on layers see")
    ax.grid(axis="y", visible=False)
    return figure


def careless_clocks(ratios: Mapping[str, Sequence[float]]) -> Figure:
    """What each way of timing says, as a multiple of the careful one: a dot a trial, a bar at the median."""
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots(figsize=(7.6, 0.5 * len(ratios) + 1.0))
    for row, (colour, values) in enumerate(coloured(ratios.values())):
        jitter = torch.linspace(-0.2, 0.2, len(values))
        ax.plot(values, row + jitter.numpy(), "o", ms=4, color=colour, alpha=0.7)
        middle = torch.tensor(list(values)).median().item()
        ax.plot([middle, middle], [row - 0.33, row + 0.33], color="black", lw=2)
    ax.axvline(1, color=GREY, lw=0.8, ls=":")
    ax.set_xscale("log")
    ax.set_yticks(range(len(ratios)), list(ratios))
    ax.invert_yaxis()
    ax.set_xlabel("time measured, as a multiple of the careful measurement")
    return figure


def time_against_macs(
    shares: Sequence[float], times: Mapping[str, Sequence[Ratio]], names: Sequence[str]
) -> Figure:
    """Time against MACs, both as shares, a line for each layer; on the diagonal time follows the MACs.

    `names` stand below the shares of MACs; bars are intervals.
    """
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots(figsize=(6.4, 3.9))
    for style, ratios in marked(times):
        middle = [ratio.value for ratio in ratios]
        bars = [[r.value - r.low for r in ratios], [r.high - r.value for r in ratios]]
        ax.errorbar(shares, middle, yerr=bars, ms=6, lw=1.2, capsize=3, **style)
    ax.plot(shares, shares, color=GREY, ls="--", lw=1, label="time = MACs")
    ax.set_xscale("log", base=2)
    ax.set_yscale("log", base=2)
    ax.set_xticks(list(shares), [f"{_fraction(x)}\n{name}" for x, name in zip(shares, names, strict=True)])
    ax.yaxis.set_major_formatter(lambda value, _: _fraction(value))
    ax.margins(x=0.08)
    ax.set_xlabel("MACs, as a multiple of one group's")
    ax.set_ylabel("time, as a multiple of one group's")
    ax.legend()
    return figure


def _fraction(value: float) -> str:
    return f"{value:g}" if value >= 1 else f"1/{1 / value:.0f}"


def shares_of_the_roofs(shares: Mapping[str, tuple[float, float]]) -> Figure:
    """For each operator how much of the peak rate and of the copy bandwidth it reached."""
    import matplotlib.pyplot as plt

    at = torch.arange(len(shares)).numpy()
    figure, ax = plt.subplots(figsize=(1.3 * len(shares) + 1.4, 2.8))
    ax.bar(at - 0.2, [rate for rate, _ in shares.values()], 0.38, color=BLUE, label="of the peak FLOP/s")
    ax.bar(at + 0.2, [b for _, b in shares.values()], 0.38, color=ORANGE, label="of the copy's bytes/s")
    ax.axhline(1, color=GREY, lw=0.8, ls=":")
    ax.set_xticks(at, list(shares))
    ax.set_ylabel("share reached")
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=2)
    return figure
