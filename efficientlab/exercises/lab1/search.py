"""Lab 1, the checks on costs, predictions and search: exercises 1.7, 1.8 and 1.10."""

from __future__ import annotations

import math
from typing import Any

import torch

from efficientlab.exercises.contract import (
    Check,
    CheckFailed,
    Values,
    counts_judge,
    is_number,
    returned_dictionary,
)
from efficientlab.exercises.searches import drive_evolve, judge_evolve, search_inputs

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

BATCHES = ("batch of 1", "batch of 32")


def _drive_latency_ratios(latency_ratios: Any, case: Values) -> Values:
    latency_ratios = returned_dictionary(latency_ratios, "is")
    numbers = [v for v in latency_ratios.values() if is_number(v)]
    return {
        "names": ", ".join(sorted(map(str, latency_ratios))),
        "numbers": len(numbers) == len(latency_ratios),
        "defined": all(math.isfinite(v) for v in numbers),
        "positive": not any(v <= 0 for v in numbers),
        "faster": not any(0 < v < 1 for v in numbers),
    }


def ratios_check(slow: str, fast: str) -> Check:
    """A check that `latency_ratios` says of each batch how many times faster than `slow` the network `fast` is."""

    def judge(inputs: Values, expected: Values, got: Values) -> None:
        if got["names"] != expected["names"]:
            raise CheckFailed(f"the names are {got['names']}; expected {expected['names']}.")
        for key, sentence in {
            "numbers": f"every prediction is a number: how many times faster than {slow}.",
            "defined": "every prediction is a finite number.",
            "positive": "a speedup is a positive number.",
            "faster": f"a number below 1 says that {fast} is slower than {slow}; was the ratio turned over?",
        }.items():
            if got[key] is not True:
                raise CheckFailed(sentence)

    return Check(
        name="latency_ratios",
        drive=_drive_latency_ratios,
        inputs=lambda seed: [{"unit": f"{slow}'s latency over {fast}'s"}],
        judge=judge,
    )


LATENCY_RATIOS = ratios_check("the teacher", "the student")


# 1.10 · evolutionary search

EVOLVE = Check(name="evolve", drive=drive_evolve, inputs=search_inputs, judge=judge_evolve)
