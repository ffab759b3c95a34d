"""A lab's headline over more seeds than the notebook has time for: how its margins were chosen.

    python benchmarks/lab_seeds.py LAB [--seeds 5]

LAB is a lab's number whose `ci` profile holds "seeds", and "more_seeds" where some rows have a number of their own.
Executes the lab's own source in that profile with another number of seeds, prints what its cells tagged `result` print,
and keeps that with the versions and the date in benchmarks/results/labLAB-seeds.json.
"""

from __future__ import annotations

import argparse
import json
import platform
import re
from datetime import date

import torch

from efficientlab.authoring.build import source_path
from efficientlab.authoring.execute import CELL_SECONDS, execute
from efficientlab.authoring.source import read_source
from efficientlab.environment import ROOT
from efficientlab.exercises.labs import find_lab
from efficientlab.files import write_text


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("lab", type=int)
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args()

    lab = find_lab(options.lab)
    notebook = read_source(source_path(lab), lab)
    profile = next(cell for cell in notebook.cells if cell.source.startswith("PROFILES = "))
    profile.source, count = re.subn(r'(seeds": )\d+', rf"\g<1>{options.seeds}", profile.source)
    if not count:
        parser.error(f'the profiles of {source_path(lab).name} hold no "seeds"')
    seconds = execute(notebook, ROOT / "solutions", cell_seconds=CELL_SECONDS * options.seeds)

    results = [
        output.text
        for cell in notebook.cells
        if "result" in cell.metadata.get("tags", [])
        for output in cell.outputs
        if output.output_type == "stream" and output.name == "stdout"
    ]
    print("\n".join(results))
    record = {
        "seeds": options.seeds,
        "seconds": round(seconds),
        "date": date.today().isoformat(),
        "torch": torch.__version__,
        "python": platform.python_version(),
        "machine": platform.machine(),
        "results": [text.splitlines() for text in results],
    }
    path = ROOT / "benchmarks" / "results" / f"lab{lab.number}-seeds.json"
    write_text(path, json.dumps(record, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
