"""The benchmarks' page: ours beside its rivals, drawn from `benchmarks/results/*.json`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from efficientlab.authoring.site.figures import write_figure
from efficientlab.authoring.site.headlines import RESULTS
from efficientlab.viz.style import BLUE, GREY, ORANGE

if TYPE_CHECKING:
    from matplotlib.figure import Figure

OURS = "ours"
LONG = 60  # characters; what is longer is no cell of a table


def pages(folder: Path) -> Iterator[tuple[str, str]]:
    """One page; its pictures are written to `folder`/pictures."""
    pictures = folder / "pictures"
    parts = [HEAD]
    parts += [kernels(path, pictures) for path in sorted(RESULTS.glob("kernels-*.json"))]
    parts += [counters(path, pictures) for path in sorted(RESULTS.glob("counters-*.json"))]
    grading = RESULTS / "grading.json"
    if grading.exists():
        parts.append(grader(grading))
    yield "benchmarks.md", "\n".join(parts)


HEAD = """# Benchmarks

Ours beside what people use instead, in one run on one machine, as ratios with 95 % intervals. The scripts and the
figures are in `benchmarks/` of the repository; this page is drawn from them when the site is built.
"""


def kernels(path: Path, pictures: Path) -> str:
    """A picture and a table a group of operators: time as a multiple of the baseline's."""
    record = json.loads(path.read_text(encoding="utf-8"))
    groups: dict[tuple[str, int], list[dict[str, Any]]] = {}
    for row in record["rows"]:
        groups.setdefault((row["group"], row["threads"]), []).append(row)
    about = record["environment"]
    parts = [
        f"## Kernels on {about['device']}\n\nAs a multiple of the baseline's: shorter is better. "
        f"PyTorch {about['torch']}, Triton {about['triton']}, {about['date']}.\n"
    ]
    for (group, threads), rows in groups.items():
        name = f"{path.stem}-{group}-{threads}.svg"
        write_figure(partial(draw_ratios, rows), pictures / name)
        above = sum(row["ratio"][OURS][0] > 1 for row in rows)
        alt = (
            f"Bars of {len(rows)} cases of {group}: the {_quantity(rows)} of ours and of rivals over that of "
            f"{rows[0]['baseline']}; ours is above the baseline in {above}. The table has the numbers"
        )
        title = f"{group.replace('_', ' ')}, {threads} thread{'s' * (threads > 1)}"
        parts.append(f"### {title}\n\n![{alt}](pictures/{name})\n\n{_ratio_table(rows)}\n")
    return "\n".join(parts)


def _quantity(rows: list[dict[str, Any]]) -> str:
    return "memory" if "megabytes" in rows[0] else "time"


def _ratio_table(rows: list[dict[str, Any]]) -> str:
    """A line a case: ours beside its rivals, all over the baseline."""
    lines = [f"| {_quantity(rows)} / baseline | ours | others |", "|---|---:|---|"]
    for row in rows:
        shown = {name: _ratio(value, interval) for name, (value, *interval) in row["ratio"].items()}
        ours, baseline = shown.pop(OURS), row["baseline"]
        shown[baseline] = "1"
        others = "; ".join(f"{name} {ratio}" for name, ratio in shown.items())
        by = f" (PyTorch: {row['chosen']})" if row.get("chosen") else ""
        lines.append(f"| `{row['op']}`, {row['case']}{by} | **{ours}** | {others} |")
    return "\n".join(lines)


def _ratio(value: float, interval: list[float]) -> str:
    shown = [f"{x:.2f}" if x >= 0.1 else f"{x:.2g}" for x in (value, *interval)]
    return f"{shown[0]} [{', '.join(shown[1:])}]" if interval else shown[0]


def draw_ratios(rows: list[dict[str, Any]]) -> Figure:
    """Bars with intervals on a logarithmic axis, the baseline as a line at 1."""
    import matplotlib.pyplot as plt
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

    bars = [(row, name) for row in rows for name in row["ratio"] if name != row["baseline"]]
    figure, ax = plt.subplots(figsize=(8, 0.8 + 0.24 * len(bars)))
    for i, (row, name) in enumerate(bars):
        value, *interval = row["ratio"][name]  # memory has none
        ax.barh(i, value, color=BLUE if name == OURS else GREY, height=0.7)
        ax.plot(interval, [i] * len(interval), color="black", linewidth=1)
    ax.axvline(1, color=ORANGE, linewidth=1.5)
    labels = [f"{row['op']} {row['case']} · {name}" for row, name in bars]
    quantity = _quantity(rows)
    ax.set(yticks=range(len(bars)), yticklabels=labels, xscale="log")
    ax.set(xlabel=f"{quantity} / {quantity} of the baseline", ylim=(-0.6, len(bars) - 0.4))
    low, high = ax.get_xlim()
    few = (
        MaxNLocator(6)
        if high / low < 2
        else LogLocator(subs=(1, 2, 5) if high / low > 8 else (1, 1.5, 2, 3, 5, 7))
    )
    ax.xaxis.set_major_locator(few)
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.tick_params(axis="y", labelsize=7.5)
    ax.invert_yaxis()
    ax.grid(axis="y", visible=False)
    return figure


def counters(path: Path, pictures: Path) -> str:
    """How many networks and layers each counter counts exactly, of those that it was asked about."""
    record = json.loads(path.read_text(encoding="utf-8"))
    exact, asked = record["exact"], record["asked"]
    order = sorted(exact, key=lambda name: -exact[name] / asked[name])
    name = f"{path.stem}.svg"
    write_figure(partial(draw_shares, {c: 100 * exact[c] / asked[c] for c in order}), pictures / name)
    rows = "\n".join(f"| {c} | {record['versions'].get(c, '')} | {exact[c]} of {asked[c]} |" for c in order)
    alt = "Bars: share of the cases that each counter of MACs gets exactly; the table has the numbers"
    return (
        f"## Counters\n\nMACs by hand, against what each counter says, {record['date']}.\n\n"
        f"![{alt}](pictures/{name})\n\n"
        f"| counter | version | exact |\n|---|---|---:|\n{rows}\n"
    )


def draw_shares(percent: dict[str, float]) -> Figure:
    """A bar a counter."""
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots(figsize=(8, 0.8 + 0.3 * len(percent)))
    for i, (counter, share) in enumerate(percent.items()):
        ax.barh(i, share, color=BLUE if counter.startswith(OURS) else GREY, height=0.65)
    ax.set(
        yticks=range(len(percent)),
        yticklabels=list(percent),
        xlabel="% of cases counted exactly",
        xlim=(0, 100),
    )
    ax.invert_yaxis()
    return figure


def grader(path: Path) -> str:
    """The grader beside nbgrader: one column a user; what is a sentence stands below the table."""
    record: dict[str, dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    keys = list(dict.fromkeys(key for column in record.values() for key in column))
    sentences = {key for key in keys if any(len(_shown(c.get(key, ""))) > LONG for c in record.values())}
    rows = [
        f"| {key} | " + " | ".join(_shown(column.get(key, "")) for column in record.values()) + " |"
        for key in keys
        if key not in sentences
    ]
    said = [
        f"- {key}, {user}: {_shown(column[key])}"
        for key in keys
        if key in sentences
        for user, column in record.items()
        if key in column
    ]
    head = f"| | {' | '.join(record)} |\n|---|{'---:|' * len(record)}"
    return "\n".join(["## The grader\n", head, *rows, "", *said]) + "\n"


def _shown(value: Any) -> str:
    if not isinstance(value, list):
        return str(value)
    low, high = min(value), max(value)
    return str(low) if low == high else f"{low} to {high}"
