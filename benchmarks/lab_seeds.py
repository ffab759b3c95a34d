"""Lab 1's headline over more seeds than the notebook has time for: how its margins were chosen.

    python benchmarks/lab1_seeds.py [--seeds 5] [--json benchmarks/results/lab1-seeds.json]

Executes the lab's own source in the `ci` profile with another number of seeds, prints what its cells tagged
`result` print, and keeps that with the versions and the date.
"""

from __future__ import annotations

import argparse
import json
import platform
from datetime import date
from pathlib import Path

import torch

from efficientlab.authoring.build import source_path
from efficientlab.authoring.execute import execute
from efficientlab.authoring.source import read_source
from efficientlab.environment import ROOT
from efficientlab.exercises.labs import find_lab


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--json", type=Path, default=ROOT / "benchmarks" / "results" / "lab1-seeds.json")
    options = parser.parse_args()

    lab = find_lab(1)
    notebook = read_source(source_path(lab), lab)
    profile = next(cell for cell in notebook.cells if cell.source.startswith("PROFILES = "))
    assert profile.source.count('"seeds": 2') == 1
    profile.source = profile.source.replace('"seeds": 2', f'"seeds": {options.seeds}')
    seconds = execute(notebook, ROOT / "solutions")

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
    options.json.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
