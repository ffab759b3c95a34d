"""Lab 1's whole search space, evaluated: what evolution and random draws could find, at any seed.

    python benchmarks/lab1_searches.py

Few of the super student's configurations are within the lab's budget, so all of them can be tried: the validation FID
of each, sliced, on the first pictures of the split, as the lab's `ci` profile measures it. Kept in
benchmarks/results/lab1-searches.json, with which a search costs no picture. About five minutes of CPU time; a second
call goes on where the first one stopped.
"""

from __future__ import annotations

import itertools
import json
import platform
from datetime import date

import torch
from tqdm import tqdm

from efficientlab.authoring.build import source_path
from efficientlab.authoring.source import read_source
from efficientlab.datasets.gan.edges import edges2shoes, to_pixels
from efficientlab.exercises.lab1 import lab
from efficientlab.files import write_text
from efficientlab.grading.reading.submission import parse_notebook
from efficientlab.grading.running.workspace import Workspace
from efficientlab.grading.score import prelude_of
from efficientlab.models.gan.features import load_features
from efficientlab.models.gan.pix2pix import Config, uniform
from efficientlab.models.gan.pretrained import load_super_student
from efficientlab.models.gan.super_student import CHOICES
from efficientlab.training.gan.conditional import translate
from efficientlab.training.gan.distances import features_of, frechet_distance
from efficientlab.training.recorded import RESULTS, recorded

PATH = RESULTS / "lab1-searches.json"
PICTURES = 300  # of the validation split, as many as the `ci` profile searches with
KEEP_EVERY = 100  # configurations


def main() -> None:
    torch.set_num_threads(1)
    notebook = read_source(source_path(lab), lab)
    answers = Workspace(lab, prelude_of(notebook), parse_notebook(notebook, lab, source_path(lab)).cells)
    generator_macs, layers = answers.answer("1.7"), answers.answer("1.5")
    rival = uniform(10)
    budget = generator_macs(rival, 32, True)
    every = map(Config._make, itertools.product(*CHOICES))
    allowed = [rival, *(config for config in every if generator_macs(config, 32, True) <= budget)]

    losses: dict[str, float] = (recorded(PATH.stem) or {"losses": {}})["losses"]
    super_student, features = load_super_student(layers), load_features("fashion")
    searched = edges2shoes("val")[:PICTURES]
    true = features_of(to_pixels(searched.picture), features)
    for count, config in enumerate(tqdm(allowed, mininterval=5.0), 1):
        if str(config) not in losses:
            pictures = translate(super_student.configure(config), searched)
            losses[str(config)] = round(frechet_distance(true, features_of(pictures, features)), 5)
        if count % KEEP_EVERY == 0 or count == len(allowed):
            record = {
                "command": "python benchmarks/lab1_searches.py",
                "date": date.today().isoformat(),
                "torch": torch.__version__,
                "python": platform.python_version(),
                "machine": platform.machine(),
                "pictures": PICTURES,
                "budget": budget,
                "losses": losses,
            }
            write_text(PATH, json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
