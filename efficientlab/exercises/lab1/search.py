"""Lab 1, the checks on costs, predictions and search: exercises 1.7, 1.8 and 1.10."""

from __future__ import annotations

from typing import Any

import torch

from efficientlab.exercises.contract import (
    Check,
    Values,
    counts_judge,
)
from efficientlab.exercises.searches import drive_evolve, judge_evolve, search_inputs
from efficientlab.exercises.speedups import ratios_check

# 1.7 · MACs in closed form


def _drive_generator_macs(generator_macs: Any, case: Values) -> Values:
    from efficientlab.models.gan.pix2pix import Config

    config = Config(*map(int, str(case["config"]).split("-")))
    return {"the MACs": generator_macs(config, case["size"], case["separable"])}


def _inputs_generator_macs(seed: int) -> list[Values]:
    generator = torch.Generator().manual_seed(seed)
    cases: list[Values] = [
        {"config": "24-48-96-96-96-96-48-24", "size": 32, "separable": False},
        {"config": "15-30-60-60-60-60-30-15", "size": 32, "separable": True},
    ]
    for size, separable in ((32, True), (64, False), (48, True)):
        drawn = (
            torch.randint(1, 12, (8,), generator=generator) * torch.tensor([2, 4, 8, 8, 8, 8, 4, 2])
        ).tolist()
        cases.append({"config": "-".join(map(str, drawn)), "size": size, "separable": separable})
    return cases


GENERATOR_MACS = Check(
    name="generator_macs",
    drive=_drive_generator_macs,
    inputs=_inputs_generator_macs,
    judge=counts_judge("are"),
)


# 1.8 · latency, predicted


LATENCY_RATIOS = ratios_check("the teacher", "the student")


# 1.10 · evolutionary search

EVOLVE = Check(name="evolve", drive=drive_evolve, inputs=search_inputs, judge=judge_evolve)
