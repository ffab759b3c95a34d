"""Lab 0's measured claims over several runs: how the margins of its assertions were chosen.

    python benchmarks/lab0_runs.py [--runs 5] [--json benchmarks/results/lab0-runs.json]

Executes the lab's own source in the `ci` profile several times, each in a process of its own, and keeps what it
measured: the roofs, the ratios of times to one group, and what careless clocks say.
"""

from __future__ import annotations

import argparse
import json
import platform
from datetime import date
from pathlib import Path
from typing import Any

import torch
from nbformat.v4 import new_code_cell

from efficientlab.authoring.build import source_path
from efficientlab.authoring.execute import execute
from efficientlab.authoring.source import read_source
from efficientlab.environment import ROOT
from efficientlab.exercises.lab0 import lab
from efficientlab.files import write_text

KEEP = """
import json
print(json.dumps({
    "flops_per_second": machine.flops_per_second,
    "bytes_per_second": machine.bytes_per_second,
    "time_over_one_group": {
        name: {str(g): [round(x, 3) for x in (t.value, t.low, t.high)] for g, t in zip(GROUPS, ratio, strict=True)}
        for name, ratio in times.items()
    },
    "median_over_careful": {name: round(sorted(v)[len(v) // 2], 4) for name, v in ratios.items()},
}))
"""


def one_run() -> dict[str, Any]:
    """What one execution of the notebook measured."""
    notebook = read_source(source_path(lab), lab)
    notebook.cells.append(new_code_cell(KEEP))
    seconds = execute(notebook, ROOT / "solutions")
    measured: dict[str, Any] = json.loads(notebook.cells[-1].outputs[0].text)
    return measured | {"seconds": round(seconds)}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", type=Path, default=ROOT / "benchmarks" / "results" / "lab0-runs.json")
    options = parser.parse_args()
    runs = [one_run() for _ in range(options.runs)]
    for name, groups in runs[0]["time_over_one_group"].items():
        for g in groups:
            ratios = [run["time_over_one_group"][name][g][0] for run in runs]
            print(f"{name:20} {g} groups: time {min(ratios):.3f} to {max(ratios):.3f} of one group's")
    for name in runs[0]["median_over_careful"]:
        medians = [run["median_over_careful"][name] for run in runs]
        print(f"{name:20} {min(medians):.3f} to {max(medians):.3f} times the careful measurement")
    record = {
        "date": date.today().isoformat(),
        "torch": torch.__version__,
        "python": platform.python_version(),
        "machine": platform.machine(),
        "runs": runs,
    }
    write_text(options.json, json.dumps(record, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
