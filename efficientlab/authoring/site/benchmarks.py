"""The benchmarks' page: ours beside its rivals, drawn from `benchmarks/results/*.json`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from efficientlab.authoring.site.figures import write_figure
from efficientlab.authoring.site.headlines import RESULTS
from efficientlab.authoring.site.ratios import OURS, kernels
from efficientlab.viz.style import BLUE, GREY

if TYPE_CHECKING:
    from matplotlib.figure import Figure

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
