"""Does one learning rate do justice to every contestant of a lab? Several of them, on the validation split.

    python benchmarks/lab_rates.py LAB [--seeds 1] [--times 0.5 1 2 4]

LAB is 4, 5 or 6: a lab whose contestants are trained by one recipe. Executes its own source as far as their scores, in
its `ci` profile, with the validation split in place of the test split, at each of these multiples of its learning rate.
Where somebody's best is the lowest or the highest, try a further one. Each rate is kept as soon as it is done, in
benchmarks/results/labLAB-rates.json, and a second call goes on where the first one stopped.
"""

from __future__ import annotations

import argparse
import ast
import json
import platform
import re
from datetime import date
from typing import Any

import torch
from nbformat.v4 import new_code_cell

from efficientlab.authoring.build import source_path
from efficientlab.authoring.execute import CELL_SECONDS, execute
from efficientlab.authoring.source import read_source
from efficientlab.environment import ROOT
from efficientlab.exercises.lab import Lab
from efficientlab.exercises.labs import find_lab
from efficientlab.files import write_text
from efficientlab.training.recorded import RESULTS, recorded

TIMES = [1, 0.5, 2, 4]  # the lab's learning rate


def scores_on_validation(lab: Lab, times: float, seeds: int) -> tuple[float, dict[str, list[float]]]:
    """The learning rate, and the score of each contestant, one number a seed."""
    notebook = read_source(source_path(lab), lab)
    scored = next(i for i, cell in enumerate(notebook.cells) if "def over_seeds(" in cell.source)
    notebook.cells = notebook.cells[: scored + 1]
    changes = (
        (r'(seeds": )\d+', rf"\g<1>{seeds}"),
        (r'("lr": )([^,]+)', rf"\g<1>{times} * \g<2>"),
        (r'"test", P\.', '"val", P.'),
    )
    for pattern, by in changes:
        found = [
            cell for cell in notebook.cells if cell.cell_type == "code" and re.search(pattern, cell.source)
        ]
        if not found:
            raise SystemExit(
                f"{source_path(lab).name} has no {pattern}: its contestants have no such recipe."
            )
        found[0].source = re.sub(pattern, by, found[0].source)
    notebook.cells.append(new_code_cell("print([P.lr, {name: over_seeds(name) for name, _ in runs}])"))
    execute(notebook, ROOT / "solutions", cell_seconds=CELL_SECONDS * seeds)
    (printed,) = notebook.cells[-1].outputs
    rate, scores = ast.literal_eval(printed.text)
    return rate, scores


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("lab", type=int)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--times", type=float, nargs="+", default=TIMES, help="the lab's learning rate")
    options = parser.parse_args()

    lab = find_lab(options.lab)
    path = RESULTS / f"lab{lab.number}-rates.json"
    rates: dict[str, Any] = (recorded(path.stem) or {"rates": {}})["rates"]
    for times in options.times:
        if f"{times:g}" in rates:
            continue
        rate, scores = scores_on_validation(lab, times, options.seeds)
        rounded = {name: [round(score, 4) for score in values] for name, values in scores.items()}
        rates[f"{times:g}"] = {"lr": rate, "scores": rounded}
        print(f"{rate:g}:", rounded, flush=True)
        every = " ".join(sorted(rates, key=float))
        record = {
            "command": f"python benchmarks/lab_rates.py {lab.number} --seeds {options.seeds} --times {every}",
            "profile": "ci",
            "split": "val",
            "date": date.today().isoformat(),
            "torch": torch.__version__,
            "python": platform.python_version(),
            "machine": platform.machine(),
            "rates": {times: rates[times] for times in sorted(rates, key=float)},  # times the lab's own
        }
        write_text(path, json.dumps(record, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
