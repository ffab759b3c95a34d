"""Lab 1, the checks on costs, predictions and search: exercises 1.7, 1.8 and 1.10."""

from __future__ import annotations

import itertools
import math
from bisect import bisect
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch

from efficientlab.exercises.contract import AnswerError, Check, CheckFailed, Values, counts_judge, describe

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
    if not isinstance(latency_ratios, dict):
        raise AnswerError(
            "Returned", f"is {type(latency_ratios).__name__}; write a dictionary, name: number."
        )
    numbers = [v for v in latency_ratios.values() if isinstance(v, int | float) and not isinstance(v, bool)]
    return {
        "names": ", ".join(sorted(map(str, latency_ratios))),
        "numbers": len(numbers) == len(latency_ratios),
        "defined": all(math.isfinite(v) for v in numbers),
        "positive": not any(v <= 0 for v in numbers),
        "faster": not any(0 < v < 1 for v in numbers),
    }


def _judge_latency_ratios(inputs: Values, expected: Values, got: Values) -> None:
    if got["names"] != expected["names"]:
        raise CheckFailed(f"the names are {got['names']}; expected {expected['names']}.")
    for key, sentence in {
        "numbers": "every prediction is a number: how many times faster than the teacher.",
        "defined": "every prediction is a finite number.",
        "positive": "a speedup is a positive number.",
        "faster": "a number below 1 says that the student is slower than the teacher; was the ratio turned over?",
    }.items():
        if got[key] is not True:
            raise CheckFailed(sentence)


LATENCY_RATIOS = Check(
    name="latency_ratios",
    drive=_drive_latency_ratios,
    inputs=lambda seed: [{"unit": "the teacher's latency over the student's"}],
    judge=_judge_latency_ratios,
)


# 1.10 · evolutionary search

CHOICES = (1, 2, 3, 4, 5)
POPULATION, GENERATIONS, RUNS = 16, 8, 7
BEST_SHARE = 0.002  # the median run's find must be among this share of all allowed configurations


@dataclass(frozen=True)
class _Landscape:
    """A search space whose best configurations are known, because all of them can be tried."""

    price: list[float]
    worth: list[float]
    budget: float

    def macs(self, config: Sequence[int]) -> float:
        return sum(p * c for p, c in zip(self.price, config, strict=True))

    def loss(self, config: Sequence[int]) -> float:
        """Falls with every width, in each layer at its own pace; less so where neighbours differ."""
        rough = sum((a - b) ** 2 for a, b in itertools.pairwise(config))
        return sum(w / c for w, c in zip(self.worth, config, strict=True)) + 0.02 * rough


@cache
def _landscape(layers: int, share: float, seed: int) -> tuple[_Landscape, list[float]]:
    """A landscape, and the losses of all configurations within its budget, sorted."""
    generator = torch.Generator().manual_seed(seed)
    price, worth = ((torch.rand(layers, generator=generator) + 0.5).tolist() for _ in range(2))
    land = _Landscape(price, worth, share * sum(price) * max(CHOICES))
    space = itertools.product(CHOICES, repeat=layers)
    return land, sorted(land.loss(c) for c in space if land.macs(c) <= land.budget)


def _drive_evolve(evolve: Any, case: Values) -> Values:
    layers, seed = int(case["layers"]), int(case["landscape"])
    land, allowed = _landscape(layers, float(case["budget"]), seed)
    macs, loss, budget = land.macs, land.loss, land.budget
    space, choices = [CHOICES] * layers, CHOICES
    ranks: list[float] = []
    over, repeated, most, truthful = False, False, 0, True
    for run in range(RUNS):
        asked: list[tuple[int, ...]] = []

        def evaluate(config: Any, asked: list[tuple[int, ...]] = asked) -> float:
            asked.append(tuple(config))
            return loss(tuple(config))

        rng = torch.Generator().manual_seed(run + 1000 * seed)
        best = evolve(evaluate, macs, space, budget, POPULATION, GENERATIONS, rng)
        if not isinstance(best, tuple) or len(best) != layers or any(b not in choices for b in best):
            raise AnswerError("Returned", f"returned {best!r}; give the best configuration, a tuple.")
        if not asked:
            raise AnswerError("Returned", "never calls evaluate: how does it know what is good?")
        over |= any(macs(c) > budget for c in [*asked, best])
        repeated |= len(set(asked)) < len(asked)
        most = max(most, len(asked))
        truthful &= loss(best) <= min(map(loss, asked)) + 1e-9
        ranks.append(bisect(allowed, loss(best) - 1e-9) / len(allowed))
    return {
        "over": over,
        "repeated": repeated,
        "evaluations": most,
        "truthful": truthful,
        "rank": sorted(ranks)[RUNS // 2],
    }


def _inputs_evolve(seed: int) -> list[Values]:
    return [
        {"layers": 6, "budget": 0.5, "landscape": 2 * seed + 1},
        {"layers": 7, "budget": 0.6, "landscape": 2 * seed + 2},
    ]


def _judge_evolve(inputs: Values, expected: Values, got: Values) -> None:
    detail = f"on the case: {describe(inputs)}"
    if got["over"] is not False:
        raise CheckFailed("a configuration beyond the budget was evaluated or returned.", detail)
    limit = POPULATION * GENERATIONS
    evaluations, rank = got["evaluations"], got["rank"]
    assert isinstance(evaluations, int) and isinstance(rank, float)
    if evaluations > limit:
        raise CheckFailed(
            f"{evaluations} configurations were evaluated; population × generations allows {limit}.", detail
        )
    if got["repeated"] is not False:
        raise CheckFailed("a configuration was evaluated twice: keep what you know.", detail)
    if got["truthful"] is not True:
        raise CheckFailed("what is returned is not the best of what was evaluated.", detail)
    if rank > BEST_SHARE:
        raise CheckFailed(
            f"the search finds only a configuration of the best {100 * rank:.1f} %; "
            f"expected the best {100 * BEST_SHARE:.1f} % after {limit} evaluations.",
            detail,
        )


EVOLVE = Check(name="evolve", drive=_drive_evolve, inputs=_inputs_evolve, judge=_judge_evolve)
