"""Kernels beside their rivals: a record of `benchmarks/kernels.py` as pictures and tables of ratios."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from efficientlab.authoring.site.figures import write_figure
from efficientlab.viz.style import BLUE, GREY, MARKERS, ORANGE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

OURS = "ours"


def kernels(path: Path, pictures: Path) -> str:
    """A picture a group of operators, with the numbers below it: time as a multiple of the baseline's."""
    record = json.loads(path.read_text(encoding="utf-8"))
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in record["rows"]:
        groups.setdefault(row["group"], []).append(row)
    about = record["environment"]
    parts = [
        f"## Kernels on {about['device']}\n\nEach dot is a time over the baseline's in the same rounds: left is "
        f"quicker. PyTorch {about['torch']}, Triton {about['triton']}, {about['date']}.\n"
    ]
    for group, rows in groups.items():
        name = f"{path.stem}-{group}.svg"
        write_figure(partial(draw_ratios, rows), pictures / name)
        above = sum(row["ratio"][OURS][0] > 1 for row in rows)
        alt = (
            f"{len(rows)} cases of {group}: the {quantity(rows)} of ours and of rivals over that of "
            f"{' or '.join(sorted({row['baseline'] for row in rows}))}; ours is above the baseline in {above}. "
            "The table has the numbers"
        )
        parts.append(
            f"### {group.replace('_', ' ')}\n\n![{alt}](pictures/{name})\n\n"
            f"<details><summary>The numbers</summary>\n\n{ratio_table(rows)}\n\n</details>\n"
        )
    return "\n".join(parts)


def quantity(rows: list[dict[str, Any]]) -> str:
    return "memory" if "megabytes" in rows[0] else "time"


def ratio_table(rows: list[dict[str, Any]]) -> str:
    """A line a case: ours beside its rivals, all over the baseline."""
    lines = [f"| {quantity(rows)} / baseline | threads | ours | others |", "|---|---:|---:|---|"]
    for row in rows:
        shown = {name: _ratio(value, interval) for name, (value, *interval) in row["ratio"].items()}
        ours, baseline = shown.pop(OURS), row["baseline"]
        shown[baseline] = "1"
        others = "; ".join(f"{name} {ratio}" for name, ratio in shown.items())
        by = f" (PyTorch: {row['chosen']})" if row.get("chosen") else ""
        lines.append(f"| `{row['op']}`, {row['case']}{by} | {row['threads']} | **{ours}** | {others} |")
    return "\n".join(lines)


def _ratio(value: float, interval: list[float]) -> str:
    shown = [f"{x:.2f}" if x >= 0.1 else f"{x:.2g}" for x in (value, *interval)]
    return f"{shown[0]} [{', '.join(shown[1:])}]" if interval else shown[0]


def draw_ratios(rows: list[dict[str, Any]]) -> Figure:
    """A line a case and a column a number of threads; the baseline is the line at 1 of a logarithmic axis."""
    import matplotlib.pyplot as plt

    threads = sorted({row["threads"] for row in rows})
    several_ops = len({row["op"] for row in rows}) > 1
    baselines = {row["baseline"] for row in rows}

    def case(row: dict[str, Any]) -> str:
        """What tells a row from the others: its op where there are several, the baseline likewise."""
        name = f"{row['op']} {row['case']}" if several_ops else row["case"]
        return f"{name} / {row['baseline']}" if len(baselines) > 1 else name

    place = {name: i for i, name in enumerate(dict.fromkeys(map(case, rows)))}
    rivals = list(dict.fromkeys(n for row in rows for n in row["ratio"] if n not in (OURS, row["baseline"])))
    baseline = "baseline: " + next(iter(baselines)) if len(baselines) == 1 else "baseline"
    marks = {name: (GREY, MARKERS[1 + i % (len(MARKERS) - 1)]) for i, name in enumerate(rivals)}
    marks[OURS] = (BLUE, MARKERS[0])  # above its rivals
    figure: Any
    figure, axes = plt.subplots(
        1, len(threads), figsize=(9, 1.4 + 0.2 * len(place)), sharex=True, sharey=True, squeeze=False
    )
    for ax, number in zip(axes[0], threads, strict=True):
        for name, (color, marker) in marks.items():
            told = [row for row in rows if row["threads"] == number and name in row["ratio"]]
            for row in told:
                _, *interval = row["ratio"][name]  # memory has none
                ax.plot(interval, [place[case(row)]] * len(interval), color=color, linewidth=1)
            values = [row["ratio"][name][0] for row in told]
            ax.plot(
                values, [place[case(row)] for row in told], marker, color=color, markersize=4.5, label=name
            )
        ax.axvline(1, color=ORANGE, linewidth=1.5, label=baseline)
        ax.set(xlabel=f"{quantity(rows)} / baseline's, {number} thread{'s' * (number > 1)}", xscale="log")
        ax.set(yticks=range(len(place)), yticklabels=list(place), ylim=(len(place) - 0.4, -0.6))
        ax.tick_params(axis="y", labelsize=7.5)
    _few_ticks(axes[0, 0])
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=len(marks) + 1)
    return figure


def _few_ticks(ax: Axes) -> None:
    """Numbers that can be read, on however short a logarithmic axis."""
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

    low, high = ax.get_xlim()
    subs = (1, 2, 5) if high / low > 20 else (1, 1.5, 2, 3, 5, 7)
    ax.xaxis.set_major_locator(MaxNLocator(6) if high / low < 2 else LogLocator(subs=subs, numticks=12))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.xaxis.set_minor_locator(NullLocator())
