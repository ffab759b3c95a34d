"""Lab 5's headline over seeds: `python benchmarks/lab5_seeds.py [FIRST_SEED [SEEDS]]`, one core, minutes a seed.

Trains the contestants of lab 5's claims by its `ci` recipe and writes `benchmarks/results/lab5-seeds.json`, from which
the margins of its assertions are chosen. Other seeds that the file holds are kept.
"""

from __future__ import annotations

import json
import sys
from functools import partial
from pathlib import Path
from typing import Any

import torch

from efficientlab.counters import count
from efficientlab.datasets.parts import PART_NAMES, part_clouds
from efficientlab.files import write_text
from efficientlab.models.pointnet import PointNet
from efficientlab.models.pvcnn import PVCNN, PVConv, VoxelCNN
from efficientlab.training.segment import evaluate, fit

RECIPE = {"epochs": 6, "batch": 8, "lr": 1e-2}
CONTESTANTS = {
    "PointNet ×½": lambda: PointNet(width=0.5),
    "voxel CNN": VoxelCNN,
    "PVCNN ×⅛": lambda: PVCNN(width=0.125, resolution=0.5),
    "PVCNN ×¼": lambda: PVCNN(width=0.25, resolution=0.5),
    "without points": lambda: PVCNN(width=0.25, resolution=0.5, block=partial(PVConv, branches="voxels")),
}
OUT = Path(__file__).parent / "results" / "lab5-seeds.json"


def main(first: int = 0, seeds: int = 5) -> None:
    torch.set_num_threads(1)
    train, test = part_clouds("train", 512), part_clouds("test", 160)
    kept: dict[str, Any] = (
        json.loads(OUT.read_text(encoding="utf-8")) if OUT.is_file() else {"recipe": RECIPE, "runs": {}}
    )
    for seed in range(first, first + seeds):
        for name, make in CONTESTANTS.items():
            torch.manual_seed(seed)
            model = make()
            run = fit(model, train, seed=seed, **RECIPE)
            score = evaluate(model, test, PART_NAMES.mask())
            kept["runs"].setdefault(name, {})[str(seed)] = {
                "mIoU": score.instance,
                "cpu_seconds": run.cpu_seconds,
                "MACs": count(model.eval(), test[:1].features, test[:1].points).macs,
            }
            write_text(OUT, json.dumps(kept, indent=1, ensure_ascii=False) + "\n")
            print(
                f"seed {seed} {name:16} mIoU {100 * score.instance:.1f}  {run.cpu_seconds:.0f} s", flush=True
            )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
