"""Lab 2, the checks on costs, predictions and search: exercises 2.5, 2.6 and 2.10."""

from __future__ import annotations

from typing import Any

import torch

from efficientlab.exercises.contract import AnswerError, Check, CheckFailed, Values, counts_judge
from efficientlab.exercises.searches import GENERATIONS, POPULATION, drive_evolve, judge_evolve, search_inputs
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


def _drive_evolve(evolve: Any, case: Values) -> Values:
    if case["feasible"] and "barely" not in case:
        return drive_evolve(evolve, case)
    asked: list[Any] = []

    def evaluate(config: Any) -> float:
        asked.append(config)
        return 1.0

    choices = [(4, 2, 3) if "unordered" in case else (2, 3, 4)] * int(case["layers"])
    rng = torch.Generator().manual_seed(0)
    budget = 2 * len(choices) - (not case["feasible"])
    try:
        found = evolve(evaluate, sum, choices, budget, POPULATION, GENERATIONS, rng)
    except ValueError as error:
        return {"sentence": len(str(error)) >= 10, "refused": True, "asked": len(asked)}
    if case["feasible"]:
        return {"sentence": False, "refused": False, "asked": len(asked)}
    raise AnswerError(
        "Returned",
        f"returned {found!r} where no configuration is within the budget; raise ValueError with a sentence.",
    )


def _inputs_evolve(seed: int) -> list[Values]:
    within: list[Values] = [case | {"feasible": True} for case in search_inputs(seed)]
    return [
        *within,
        {"feasible": False, "layers": 3},
        {"feasible": False, "layers": 8},
        {"feasible": True, "layers": 3, "barely": True},  # the cheapest alone costs exactly the budget
        {"feasible": True, "layers": 2, "barely": True, "unordered": True},  # and is not the first
    ]


def _judge_evolve(inputs: Values, expected: Values, got: Values) -> None:
    if "barely" in inputs:
        if got["refused"] is True:
            raise CheckFailed(
                "the cheapest configuration costs exactly the budget, and is refused: it is within it."
            )
        if got["asked"] != 1:
            raise CheckFailed(
                f"one configuration is within the budget; {got['asked']} configurations were evaluated."
            )
    elif inputs["feasible"]:
        judge_evolve(inputs, expected, got)
    elif got["sentence"] is not True:
        raise CheckFailed("nothing is within the budget: the ValueError says so in a sentence.")
    elif got["asked"] != 0:
        raise CheckFailed("nothing is within the budget, but a configuration was evaluated.")


EVOLVE = Check(name="evolve", drive=_drive_evolve, inputs=_inputs_evolve, judge=_judge_evolve)
