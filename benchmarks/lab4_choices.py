"""Lab 4's two design choices, measured: how many channels the shift moves, and where in a block it stands.

    python benchmarks/lab4_choices.py [--seeds 3]

Trains the lab's network, with the lab's own answers and its `ci` profile, on two questions at once: what happens
(verb, 12 classes) and what acts (noun, 4 classes). Folds of 1/16, 1/8, 1/4 and 1/2 of the channels in each direction
run at both places; an eighth also in front of both convolutions of a block, and beside them the narrow 3D network.
About ten minutes of CPU time; each run is kept as soon as it is done, in benchmarks/results/lab4-choices.json, and a
second call goes on where the first one stopped.
"""

from __future__ import annotations

import argparse
import ast
import json
import platform
from datetime import date
from functools import partial
from types import SimpleNamespace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from efficientlab.authoring.build import source_path
from efficientlab.authoring.source import read_source
from efficientlab.datasets.video.arrowset import CLASS_NAMES, NOUNS, arrowset
from efficientlab.exercises.lab4 import lab
from efficientlab.files import write_text
from efficientlab.grading.reading.submission import parse_notebook
from efficientlab.grading.running.workspace import Workspace
from efficientlab.grading.score import prelude_of
from efficientlab.models.video.resnet import BasicBlock, SmallResNet
from efficientlab.models.video.rivals import TSN, ResNet3D
from efficientlab.training.recorded import RESULTS, recorded
from efficientlab.training.video.classify import fit, predict

PATH = RESULTS / "lab4-choices.json"
FOLD_DIVS = (16, 8, 4, 2)
VERBS, NOUN_CLASSES = len(CLASS_NAMES), len(NOUNS)


class InPlaceBlock(BasicBlock):
    """A residual block whose branch and shortcut both read shifted features."""

    def __init__(self, c_in: int, c_out: int, stride: int, shift: Any) -> None:
        super().__init__(c_in, c_out, stride)
        self.shift = shift

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(self.shift(x))


class TwiceShiftedBlock(BasicBlock):
    """A residual block whose branch shifts in front of each of its two convolutions."""

    def __init__(self, c_in: int, c_out: int, stride: int, shift: Any) -> None:
        super().__init__(c_in, c_out, stride)
        self.shift = shift

    def residual(self, x: Tensor) -> Tensor:
        x = F.relu(self.bn1(self.conv1(self.shift(x))))
        return self.bn2(self.conv2(self.shift(x)))


def verb_and_noun(net: nn.Module, video: Tensor, clips: Any) -> Tensor:
    """The sum of two heads' cross-entropies: the action, and the thing that acts."""
    verbs, nouns = net(video).split([VERBS, NOUN_CLASSES], dim=1)
    return F.cross_entropy(verbs, clips.label) + F.cross_entropy(nouns, clips.noun)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=3)
    seeds = range(parser.parse_args().seeds)
    torch.set_num_threads(1)

    notebook = read_source(source_path(lab), lab)
    profiles = next(cell.source for cell in notebook.cells if cell.source.startswith("PROFILES = "))
    assignment = ast.parse(profiles).body[0]
    assert isinstance(assignment, ast.Assign) and isinstance(assignment.value, ast.Dict)
    by_name = dict(zip(assignment.value.keys, assignment.value.values, strict=True))
    ci = next(v for k, v in by_name.items() if isinstance(k, ast.Constant) and k.value == "ci")
    p = SimpleNamespace(**ast.literal_eval(ci))
    answers = Workspace(lab, prelude_of(notebook), parse_notebook(notebook, lab, source_path(lab)).cells)
    temporal_shift, shifted_block = answers.answer("4.2"), answers.answer("4.3")
    train = arrowset("train", p.train_clips, size=p.size, frames=p.frames, seed=0)
    test = arrowset("test", p.test_clips, size=p.size, frames=p.frames, seed=0)

    def shifting(block: Any, fold_div: int) -> nn.Module:
        shift = partial(temporal_shift, n_frames=p.frames, fold_div=fold_div)
        outputs = VERBS + NOUN_CLASSES
        return TSN(SmallResNet(partial(block, shift=shift), widths=p.widths, classes=outputs))

    entrants: dict[str, Any] = {
        f"{place} 1/{fold_div}": partial(shifting, block, fold_div)
        for fold_div in FOLD_DIVS
        for place, block in (("residual", shifted_block), ("in place", InPlaceBlock))
    }
    entrants["twice 1/8"] = partial(shifting, TwiceShiftedBlock, 8)
    entrants["3D narrow"] = partial(ResNet3D, widths=p.narrow, classes=VERBS + NOUN_CLASSES)

    runs: dict[str, dict[str, dict[str, float]]] = (recorded(PATH.stem) or {"runs": {}})["runs"]
    for seed in seeds:
        for name, make in entrants.items():
            if str(seed) in runs.get(name, {}):
                continue
            torch.manual_seed(seed)  # of the initial weights, as in the lab
            net = make()
            run = fit(net, train, seed=seed, objective=verb_and_noun, epochs=p.epochs, batch=p.batch, lr=p.lr)
            verbs, nouns = (part.argmax(1) for part in predict(net, test).split([VERBS, NOUN_CLASSES], 1))
            verb, noun = verbs == test.label, nouns == test.noun
            shares = {"verb": verb, "noun": noun, "both": verb & noun}
            runs.setdefault(name, {})[str(seed)] = {
                **{key: round(value.double().mean().item(), 4) for key, value in shares.items()},
                "cpu_seconds": round(run.cpu_seconds, 1),
            }
            print(name, seed, runs[name][str(seed)], flush=True)
            record = {
                "command": "python benchmarks/lab4_choices.py",
                "profile": "ci",
                "date": date.today().isoformat(),
                "torch": torch.__version__,
                "python": platform.python_version(),
                "machine": platform.machine(),
                "runs": {name: runs[name] for name in entrants if name in runs},
            }
            write_text(PATH, json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
