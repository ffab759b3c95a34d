"""Lab 2, the checks on costs, predictions and search: exercises 2.5, 2.6 and 2.10."""

from __future__ import annotations

from typing import Any

import torch

from efficientlab.exercises.contract import Check, Values, counts_judge
from efficientlab.exercises.searches import budgeted_search
from efficientlab.exercises.speedups import ratios_check

# 2.5 · MACs in closed form


def _drive_generator_macs(generator_macs: Any, case: Values) -> Values:
    config = tuple(int(n) for n in str(case["config"]).split("-"))
    return {"the MACs": generator_macs(config, case["size"])}


def _inputs_generator_macs(seed: int) -> list[Values]:
    rng = torch.Generator().manual_seed(seed)
    cases: list[Values] = [
        {"config": "128-128-128-64-32", "size": 32},
        {"config": "64-64-32-16-8", "size": 32},
        {"config": "128-128-128-64-32", "size": 16},
    ]
    most = torch.tensor([32, 32, 32, 16, 8])
    for size in (32, 8, 4):
        drawn = 4 * (torch.rand(5, generator=rng) * most).long().clamp(min=1)
        cases.append({"config": "-".join(map(str, drawn.tolist())), "size": size})
    return cases


GENERATOR_MACS = Check(
    name="generator_macs",
    drive=_drive_generator_macs,
    inputs=_inputs_generator_macs,
    judge=counts_judge("are"),
)


# 2.6 · latency, predicted

LATENCY_RATIOS = ratios_check("the full generator", "the sub-generator")


# 2.10 · evolutionary search

EVOLVE = budgeted_search()
