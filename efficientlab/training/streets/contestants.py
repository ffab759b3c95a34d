"""Train lab 7's networks, camera, LiDAR and fusion, over several seeds, and score them by day and in trouble.

    python -m efficientlab.training.streets.contestants [--seeds 5]

Writes the weights of seed 0 to data/streets, and to data/streets/contestants.json what all seeds came to: average
precision and IoU on the test split by day, at night, with 4 beams, with cameras that are turned by 3° from where they
are believed to be, and with a sensor missing. The map's thresholds are chosen on the validation split. Fusion is also
trained briefly, for both tasks, for boxes alone and for the map alone.

Fusion starts from the two networks of its seed. From nothing, it learns the LiDAR's features long before the camera's,
and then has no use for those: trained so with seed 0, it drew a worse map than the LiDAR alone. The two train on for as
long as fusion does, so that every branch has seen the streets equally often; their scores of before are kept,
too, for the LiDAR's boxes were better then.
"""

from __future__ import annotations

import argparse
import copy
import json
from collections.abc import Sequence
from typing import Any

import torch

from efficientlab.datasets.files import data_root
from efficientlab.datasets.streets.views import Views, street_views
from efficientlab.files import write_text
from efficientlab.models.streets.bevfusion import SENSORS, BEVFusion, Sensor
from efficientlab.models.streets.pretrained import CONTESTANTS
from efficientlab.models.weights import save_weights
from efficientlab.training.loop import Run
from efficientlab.training.streets.fit import fit, predict, score, thresholds_of

RECIPE: dict[str, Any] = {"batch": 8, "lr": 4e-3, "weight_decay": 0.01}
APART, ON = 8, 16
"""Epochs of a single sensor, and then of it or of fusion. After 8 epochs of fusion, three seeds of five still could not
tell cars from taxis, whose colour only the cameras see."""
STREETS = {"train": 400, "val": 64, "test": 64}
NIGHT, DROPOUT = 0.3, 0.1
BRIEFLY = f"{APART} epochs"
BRIEF = {
    f"both tasks, {BRIEFLY}": ("heat", "box", "map"),
    f"boxes alone, {BRIEFLY}": ("heat", "box"),
    f"map alone, {BRIEFLY}": ("map",),
}


def conditions(test: Views, night: Views) -> dict[str, Views]:
    """The test streets as they are, and in trouble."""
    return {
        "day": test,
        "night": night,
        "4 beams": test.with_beams(4),
        "3° off": test.misplaced(degrees=3.0),
    }


def judge(model: BEVFusion, val: Views, tests: dict[str, Views]) -> dict[str, dict[str, Any]]:
    """Scores in percent by condition: mAP and mIoU, and what they are means of."""
    thresholds = thresholds_of(predict(model, val), val)
    cases: list[tuple[str, Views, Sensor | None]] = [(name, views, None) for name, views in tests.items()]
    if len(model.sensors) > 1:
        cases += [(f"no {sensor}", tests["day"], sensor) for sensor in SENSORS]
    found = {}
    for name, views, missing in cases:
        result = score(predict(model, views, missing=missing), views, thresholds)
        found[name] = {
            "mAP": round(result.mean_precision, 2),
            "mIoU": round(result.mean_iou, 2),
            "AP": [round(100 * float(p), 1) for p in result.precision.mean(1)],
            "IoU": [round(100 * float(i), 1) for i in result.iou],
        }
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Train lab 7's networks.")
    parser.add_argument("--seeds", type=int, default=5)
    seeds = parser.parse_args(arguments).seeds
    torch.set_num_threads(1)
    train = street_views("train", STREETS["train"], night=NIGHT, augment=True)
    val = street_views("val", STREETS["val"], night=NIGHT)
    test, night = (street_views("test", STREETS["test"], night=share) for share in (0.0, 1.0))
    tests, out, runs = conditions(test, night), data_root() / "streets", []

    def note(name: str, seed: int, run: Run, model: BEVFusion) -> None:
        runs.append({"network": name, "seed": seed, "cpu_seconds": round(run.cpu_seconds)})
        runs[-1] |= {"last losses": round(sum(run.losses[-20:]) / 20, 3)}
        runs[-1] |= {"scores": judge(model, val, tests)}
        print(json.dumps(runs[-1]), flush=True)
        _log(out / "contestants.json", runs)

    for seed in range(seeds):
        apart: dict[str, BEVFusion] = {}
        for name in (*CONTESTANTS, *BRIEF):
            sensors = CONTESTANTS.get(name, SENSORS)
            torch.manual_seed(seed)
            if len(sensors) > 1:
                model = joined(apart["camera"], apart["lidar"])
            else:
                model = BEVFusion(sensors)
                run = fit(model, train, seed=seed, epochs=APART, **RECIPE)
                note(f"{name}, {BRIEFLY}", seed, run, model)
                apart[name] = copy.deepcopy(model)
            epochs, tasks = (APART, BRIEF[name]) if name in BRIEF else (ON, ("heat", "box", "map"))
            run = fit(model, train, tasks=tasks, seed=seed, epochs=epochs, **RECIPE)
            note(name, seed, run, model)
            if seed == 0 and name in CONTESTANTS:
                save_weights(out / f"{name}.safetensors", network=model)


def joined(camera: BEVFusion, lidar: BEVFusion) -> BEVFusion:
    """A new network of both sensors with the branches of two trained ones, and the LiDAR's decoder and heads."""
    model = BEVFusion(SENSORS, dropout=DROPOUT)
    for mine, trained in (
        (model.camera, camera.camera),
        (model.lidar, lidar.lidar),
        (model.decoder, lidar.decoder),
        (model.head, lidar.head),
    ):
        assert mine is not None and trained is not None
        mine.load_state_dict(trained.state_dict())
    return model


def _log(path: Any, runs: list[dict[str, Any]]) -> None:
    command = "python -m efficientlab.training.streets.contestants"
    facts = {"streets": STREETS, "share at night": NIGHT, "sensor dropout of fusion": DROPOUT}
    facts |= {"epochs of a single sensor": APART, "epochs then": ON, **RECIPE}
    write_text(
        path,
        json.dumps({"command": command, "torch": torch.__version__, **facts, "runs": runs}, indent=1) + "\n",
    )


if __name__ == "__main__":
    main()
