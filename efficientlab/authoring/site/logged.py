"""The labs whose logged runs are kept as numbers: their pages show them in the notebook's own pictures."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from efficientlab.authoring.site.figures import write_figure
from efficientlab.counters import Ratio
from efficientlab.exercises.lab import Lab
from efficientlab.viz.costs import time_against_macs
from efficientlab.viz.gan.samples import efficiency_curve, training_curves

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Runs = list[dict[str, Any]]


@dataclass(frozen=True)
class Picture:
    """One picture of logged runs, and what it shows in words."""

    draw: Callable[[Runs], Figure]
    words: Callable[[Runs], str]


@dataclass(frozen=True)
class Log:
    """A lab's file in `benchmarks/results`, and what is drawn from it."""

    file: str
    pictures: tuple[Picture, ...]


def logged(lab: Lab, results: Path, pictures: Path) -> str:
    """A part of the lab's page from its log in the folder `results`; its pictures are written to `pictures`."""
    path = results / LOGGED[lab.number].file
    record: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    runs: Runs = record["runs"]
    parts = [opening(record, f"{len(runs)} logged runs")]
    for number, picture in enumerate(LOGGED[lab.number].pictures, 1):
        name = f"{path.stem}-{number}.svg"
        write_figure(partial(picture.draw, runs), pictures / name)
        parts.append(f"![{picture.words(runs)}](../pictures/{name})\n")
    return "\n".join(parts)


def opening(record: Mapping[str, Any], over: str, also: str = "") -> str:
    """The heading of a record's headline, and when and where it was run."""
    return (
        f"## The headline over {over}\n\n"
        f"The notebook has time for fewer. Run on {record['date']} with PyTorch {record['torch']}, "
        f"on {record['machine']}{also}.\n"
    )


def _times(runs: Runs) -> dict[str, list[Ratio]]:
    """Of each layer the time for each number of groups: the median run, from the lowest to the highest."""
    times = {}
    for name, groups in runs[0]["time_over_one_group"].items():
        values = [sorted(run["time_over_one_group"][name][g][0] for run in runs) for g in groups]
        times[name] = [Ratio(v[len(v) // 2], v[0], v[-1]) for v in values]
    return times


def _time_against_macs(runs: Runs) -> Figure:
    groups = [int(g) for g in next(iter(runs[0]["time_over_one_group"].values()))]
    names = ["1 group", *(f"{g} groups" for g in groups[1:])]
    return time_against_macs([1 / g for g in groups], _times(runs), names)


def _times_in_words(runs: Runs) -> str:
    half = {name: ratios[1] for name, ratios in _times(runs).items()}
    listed = "; ".join(f"{name} {t.value:.2f} [{t.low:.2f}, {t.high:.2f}]" for name, t in half.items())
    return f"Time with half the MACs, as a multiple of one group's, median and range: {listed}"


def _hundred(runs: Runs) -> Runs:
    return [run for run in runs if run["pictures"] == 100]


def _fids_in_words(runs: Runs) -> str:
    fids: dict[str, list[float]] = {}
    for run in _hundred(runs):
        fids.setdefault(run["variant"], []).append(run["test_fid"])
    listed = "; ".join(f"{name} {min(values):.1f} to {max(values):.1f}" for name, values in fids.items())
    return f"FID and the discriminator's gap over steps; on the test pictures at the end: {listed}"


LOGGED = {
    0: Log("lab0-runs.json", (Picture(_time_against_macs, _times_in_words),)),
    3: Log(
        "lab3-seeds.json",
        (
            Picture(lambda runs: training_curves(_hundred(runs), {}), _fids_in_words),
            Picture(
                lambda runs: efficiency_curve(runs, {}),
                lambda runs: "FID on the test pictures against the number of training pictures, a dot a run",
            ),
        ),
    ),
}
