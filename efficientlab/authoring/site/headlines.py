"""A lab's headline over more seeds than its notebook has time for, drawn from `benchmarks/results`.

`benchmarks/lab_seeds.py` keeps what the cells tagged `result` print. A table there with a column of the form
`mean [lowest, highest]` becomes a picture, beside what each contestant costs if the table says so; all of the text
stands below it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from efficientlab.authoring.site.figures import write_figure
from efficientlab.authoring.site.logged import LOGGED, logged, opening
from efficientlab.exercises.lab import Lab
from efficientlab.training.recorded import RESULTS, recorded
from efficientlab.viz.style import BLUE, ORANGE

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SPREAD = re.compile(r"(-?[\d.]+) \[(-?[\d.]+), (-?[\d.]+)\]")


@dataclass(frozen=True)
class Row:
    """One contestant: its mean with the lowest and the highest of the seeds, and its MACs in millions, or none."""

    name: str
    mean: float
    low: float
    high: float
    macs: float | None = None

    def __str__(self) -> str:
        return f"{self.name} {self.mean:g}" + ("" if self.macs is None else f" at {self.macs:g} M MACs")


def headline(lab: Lab, pictures: Path) -> str:
    """A part of the lab's page, or nothing where no seeds were run; the picture is written to `pictures`."""
    if lab.number in LOGGED:
        return logged(lab, RESULTS, pictures)
    if not (record := recorded(f"lab{lab.number}-seeds")):
        return ""
    minutes = f", in {record['seconds'] / 60:.0f} minutes"
    parts = [opening(record, f"{record['seeds']} seeds", minutes)]
    readings = [read(lines) for read in (read_table, read_gains) for lines in record["results"]]
    found = next(filter(None, readings), None)
    if found:
        metric, rows = found
        name = f"lab{lab.number}-seeds.svg"
        write_figure(partial(draw, rows, metric), pictures / name)
        listed = "; ".join(map(str, rows))
        if any(row.low == row.high for row in rows):
            parts.append("A dot without a bar is one run.\n")
        parts.append(f"![{metric}, mean and range over seeds: {listed}](../pictures/{name})\n")
    text = "\n\n".join("\n".join(lines).rstrip() for lines in record["results"])
    unfolded = "" if found else " open"
    parts.append(
        f"<details{unfolded}><summary>All that was measured</summary>\n\n```text\n{text}\n```\n\n</details>\n"
    )
    return "\n".join(parts)


def read_table(lines: list[str]) -> tuple[str, list[Row]] | None:
    """The metric's name and the rows of a table with right-aligned columns, one of them with spreads, one M MACs."""
    at = next((i for i, line in enumerate(lines) if "M MACs" in line), None)
    if at is None:
        return None
    header, body = lines[at], list(takewhile(str.strip, lines[at + 1 :]))
    macs_end = header.index("M MACs") + len("M MACs")
    spreads = [match for line in body if (match := SPREAD.search(line))]
    if not spreads:
        return None
    end = spreads[0].end()
    metric = re.split(r"\s{2,}", header[:end].strip())[-1].partition(" [")[0]
    rows = []
    for line in body:
        value, macs = line[:end].rstrip(), re.search(r"([\d.]+)$", line[:macs_end])
        if not macs or len(line) < end:
            continue
        name = re.split(r"\s{2,}", line)[0]
        if spread := re.search(SPREAD.pattern + "$", value):
            mean, low, high = map(float, spread.groups())
            rows.append(Row(name, mean, low, high, float(macs[1])))
        elif single := re.search(r"(?:^|\s)(-?[\d.]+)$", value):
            mean = float(single[1])
            rows.append(Row(name, mean, mean, mean, float(macs[1])))
    return (metric, rows) if len(rows) > 1 else None


def read_gains(lines: list[str]) -> tuple[str, list[Row]] | None:
    """The rows of a block that is nothing but `name   mean [lowest, highest] …`."""
    found = [re.match(rf"(\S.*?)\s{{2,}}{SPREAD.pattern}", line) for line in lines if line.strip()]
    rows = [Row(m[1], *map(float, m.groups()[1:])) for m in found if m]
    return ("gain", rows) if len(rows) > 1 and len(rows) == len(found) else None


def draw(rows: list[Row], metric: str) -> Figure:
    """Contestants below each other: the metric with its range at the left, what it costs at the right."""
    import matplotlib.pyplot as plt

    costs = [(i, row.macs) for i, row in enumerate(rows) if row.macs is not None]
    figure: Any
    figure, axes = plt.subplots(
        1,
        1 + bool(costs),
        figsize=(8, 0.6 + 0.3 * len(rows)),
        sharey=True,
        squeeze=False,
        width_ratios=(3, 2)[: 1 + bool(costs)],
    )
    left = axes[0, 0]
    for i, row in enumerate(rows):
        left.plot([row.low, row.high], [i, i], color=BLUE, linewidth=5, alpha=0.35, solid_capstyle="round")
        left.plot(row.mean, i, "o", color=BLUE, markersize=5)
    left.set(xlabel=metric, yticks=range(len(rows)), yticklabels=[row.name for row in rows])
    left.invert_yaxis()
    if costs:
        right = axes[0, 1]
        right.barh(*zip(*costs, strict=True), color=ORANGE, height=0.55)
        right.set(xlabel="M MACs")
    else:
        left.axvline(0, color=ORANGE, linewidth=1.5)
    return figure
