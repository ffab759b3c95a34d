"""What takes longer than a notebook has: records of `benchmarks/`, which are there where the repository is."""

from __future__ import annotations

import json
from collections.abc import Iterable
from statistics import fmean
from typing import Any

from efficientlab.environment import ROOT

RESULTS = ROOT / "benchmarks" / "results"


def recorded(name: str) -> Any:
    """The record `benchmarks/results/NAME.json`; None in a copy without the repository, which lacks it."""
    path = RESULTS / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def show_seeds(lab: int, title: str) -> None:
    """Prints, of what `benchmarks/lab_seeds.py` recorded of a lab, the table whose first line begins with `title`."""
    if record := recorded(f"lab{lab}-seeds"):
        print(f"{record['seeds']} seeds, recorded on {record['date']}")
        print("\n".join(next(lines for lines in record["results"] if lines[0].startswith(title))))


def show_rates(lab: int, metric: str, names: Iterable[str], places: int = 1) -> dict[str, dict[float, float]]:
    """What `benchmarks/lab_rates.py` recorded of a lab: name → learning rate → mean score over seeds; empty without.

    Prints it as a table of `metric`, a row for each of `names`, with so many decimal `places`.
    """
    if not (record := recorded(f"lab{lab}-rates")):
        return {}
    rates = {rate["lr"]: rate["scores"] for rate in record["rates"].values()}
    scores = {name: {lr: fmean(seeds[name]) for lr, seeds in rates.items()} for name in names}
    print(f"{metric:24}" + "".join(f"{f'rate {lr:g}':>13}" for lr in rates))
    for name, each in scores.items():
        print(f"{name:24}" + "".join(f"{score:13.{places}f}" for score in each.values()))
    return scores
