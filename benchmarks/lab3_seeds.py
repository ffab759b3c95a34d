"""Lab 3's experiment over more seeds and training sets than the notebook has time for, from the lab's own code.

    python benchmarks/lab3_seeds.py [--json benchmarks/results/lab3-seeds.json]

Runs the answers of the lab's source in its `ci` profile, on one core: the four variants with 100 pictures over five
seeds, and no augmentation and DiffAugment with 50, 200 and 500 pictures over three. Half an hour of CPU time. Each run
is kept as soon as it is done, and a second call goes on where the first one stopped. The notebook shows these curves
beside its own, and its margins were chosen from them.
"""

from __future__ import annotations

import argparse
import ast
import json
import platform
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch

from efficientlab.authoring.build import source_path
from efficientlab.authoring.source import read_source
from efficientlab.datasets.gan.few_shot import fashion_few_shot
from efficientlab.environment import ROOT
from efficientlab.exercises.lab3 import lab
from efficientlab.files import write_text
from efficientlab.grading.reading.submission import parse_notebook
from efficientlab.grading.running.workspace import Workspace
from efficientlab.grading.score import prelude_of
from efficientlab.models.gan.features import load_features
from efficientlab.training.gan.detector import fit_detector
from efficientlab.training.gan.distances import fid, kid
from efficientlab.training.gan.few_shot import (
    Objective,
    Recipe,
    Variant,
    fit_few_shot,
    new_networks,
    sample,
    watch,
)

FOUR, TWO = ("none", "DiffAugment", "D only", "reals only"), ("none", "DiffAugment")
SIZES = (500, 50, 200)
PLAN = [  # so that a part of it is of use, too
    run
    for seed, n in enumerate(SIZES)
    for run in [*((variant, 100, seed) for variant in FOUR), *((variant, n, 0) for variant in TWO)]
]
PLAN += [(variant, 100, seed) for seed in (3, 4) for variant in FOUR]
PLAN += [(variant, n, seed) for seed in (1, 2) for n in SIZES for variant in TWO]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", type=Path, default=ROOT / "benchmarks" / "results" / "lab3-seeds.json")
    path = parser.parse_args().json
    torch.set_num_threads(1)

    notebook = read_source(source_path(lab), lab)
    profiles = next(cell.source for cell in notebook.cells if cell.source.startswith("PROFILES = "))
    assignment = ast.parse(profiles).body[0]
    assert isinstance(assignment, ast.Assign) and isinstance(assignment.value, ast.Dict)
    tables = {
        ast.literal_eval(key): table
        for key, table in zip(assignment.value.keys, assignment.value.values, strict=True)
        if key is not None
    }
    profile = SimpleNamespace(**ast.literal_eval(tables["ci"]))
    cells = parse_notebook(notebook, lab, source_path(lab)).cells
    workspace = Workspace(lab, prelude_of(notebook), cells)
    overfitting, color, translation, cutout, augment, loss_d, loss_g, leakage = map(
        workspace.answer, ("3.1", "3.2", "3.3", "3.4", "3.5", "3.6", "3.7", "3.9")
    )
    steps = {"color": color, "translation": translation, "cutout": cutout}

    def transform(x: torch.Tensor, rng: torch.Generator) -> torch.Tensor:
        return augment(x, "color,translation,cutout", steps, rng)

    variants = {
        "none": Variant(),
        "reals only": Variant(reals=transform),
        "D only": Variant(discriminator=transform),
        "DiffAugment": Variant(discriminator=transform, generator=transform),
    }
    recipe = Recipe(profile.steps, profile.batch, width=profile.width, every=profile.every)
    features = load_features()
    held_out = fashion_few_shot(100).held_out
    detector = fit_detector(held_out, transform, steps=profile.detector_steps)

    record: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {"runs": []}
    done = {(run["variant"], run["pictures"], run["seed"]) for run in record["runs"]}
    for name, n, seed in PLAN:
        if (name, n, seed) in done:
            continue
        data = fashion_few_shot(n)
        networks = new_networks(data.train.shape[1], recipe.width, seed)
        run = fit_few_shot(
            data.train,
            variants[name],
            Objective(loss_d, loss_g),
            recipe,
            networks,
            seed=seed,
            measure=watch(data, features, overfitting),
        )
        samples = sample(networks[0], 1000, seed=1)
        augmented = transform(data.test, torch.Generator().manual_seed(0))
        result = {
            "variant": name,
            "pictures": n,
            "seed": seed,
            "step": list(run.measured),
            "fid": [round(s.fid, 3) for s in run.measured.values()],
            "rates": {
                key: [round(s.rates[key], 4) for s in run.measured.values()]
                for key in ("train", "held_out", "fake", "gap")
            },
            "test_fid": round(fid(data.test, samples, features), 3),
            "test_kid": round(kid(data.test, samples, features), 4),
            "leakage": round(leakage(detector, samples, data.test, augmented), 4),
            "steps_a_second": round(1 / run.seconds_a_step, 1),
        }
        print({k: v for k, v in result.items() if k not in ("step", "rates")}, flush=True)
        record["runs"].append(result)
        record.update(
            recipe=vars(recipe),
            date=date.today().isoformat(),
            torch=torch.__version__,
            python=platform.python_version(),
            machine=platform.machine(),
        )
        write_text(path, json.dumps(record, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
