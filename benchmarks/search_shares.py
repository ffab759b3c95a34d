"""How good right searches are, and how surely their check knows it: exercises 1.10, 2.10 and 6.14.

    python benchmarks/search_shares.py [--seeds 200]

Runs the solution and every other right answer (`tests/alternatives`) on the landscapes that the check judges by, of so
many seeds. How much of what a search evaluates in its second half is among the best tenth of all, and how often so
much, is kept in benchmarks/results/search-shares.json. From it `tests/exercises/test_searches.py` works out how rarely
a right answer is refused. About five minutes of CPU time.
"""

from __future__ import annotations

import argparse
import json
import platform
from collections import Counter
from datetime import date

import torch
from tqdm import tqdm

from efficientlab.authoring.build import source_path
from efficientlab.authoring.recording import Answers, alternative_files
from efficientlab.authoring.source import read_source
from efficientlab.environment import ROOT
from efficientlab.exercises.cases import tensor_of
from efficientlab.exercises.labs import find_lab
from efficientlab.exercises.searches import evaluated, good_shares, search_inputs
from efficientlab.files import write_text

PATH = ROOT / "benchmarks" / "results" / "search-shares.json"
EXERCISES = {1: "1.10", 2: "2.10", 6: "6.14"}
FIRST = 500_000  # seed


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=200)
    seeds = range(FIRST, FIRST + parser.parse_args().seeds)
    torch.set_num_threads(1)
    shares: dict[str, dict[str, int]] = {}
    for number, exercise_id in EXERCISES.items():
        lab = find_lab(number)
        answers, exercise = Answers(read_source(source_path(lab), lab), lab), lab[exercise_id]
        texts = {path.stem: path.read_text(encoding="utf-8") for path in alternative_files(lab, exercise)}
        for name, text in {f"{exercise_id} solution": None, **texts}.items():
            student = answers.student(exercise, text)
            seen: Counter[float] = Counter()
            for seed in tqdm(seeds, desc=name, mininterval=5.0):
                case = search_inputs(seed)[-1]
                seen.update(good_shares(case, evaluated(tensor_of(student(case), "asked"))))
            shares[name] = {f"{share:.4f}": count for share, count in sorted(seen.items())}
    record = {
        "command": f"python benchmarks/search_shares.py --seeds {len(seeds)}",
        "date": date.today().isoformat(),
        "torch": torch.__version__,
        "python": platform.python_version(),
        "machine": platform.machine(),
        "landscapes": {name: sum(counts.values()) for name, counts in shares.items()},
        "shares": shares,  # answer → share of good configurations → landscapes
    }
    write_text(PATH, json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
