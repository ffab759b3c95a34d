"""Lab 1, the checks on costs, predictions and search: exercises 1.7, 1.8 and 1.10."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
from torch import Tensor

from efficientlab.exercises.cases import other_generators, processor_limit, tensor_of
from efficientlab.exercises.contract import (
    AnswerError,
    Check,
    CheckFailed,
    Values,
    counts_judge,
    describe,
    is_number,
    plain,
    returned_dictionary,
)

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

POPULATION, GENERATIONS, RUNS = 16, 8, 32
SHARE = 0.01
MEAN_SHARE = 0.0035
"""How good a search must be: the share of allowed configurations that are better than its find, none counted above
`SHARE`, in the mean of `RUNS` landscapes. Right answers of three kinds have 0.0004 to 0.0011. That they exceed the
limit has, by Chernoff's bound, a probability below 10⁻⁷. Random search has 0.0056, and passes 3 times in 10,000.
"""
SECONDS = 3  # of the processor, for one search
ASKED_OFTEN = 20  # times that the MACs of a configuration were asked for, and it was not evaluated


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
def _landscape(layers: int, widths: int, share: float, seed: int) -> tuple[_Landscape, Tensor]:
    """A landscape, and the losses of all configurations within its budget.

    The budget is the MACs of the configuration that comes nearest to `share` of the widest one's: it costs exactly
    what may be spent.
    """
    generator = torch.Generator().manual_seed(seed)
    price, worth = ((torch.rand(layers, generator=generator) + 0.5).tolist() for _ in range(2))
    all_widths = torch.arange(1, widths + 1, dtype=torch.float64)
    space = torch.cartesian_prod(*[all_widths] * layers)  # (configurations, layers)
    costs = space @ torch.tensor(price, dtype=torch.float64)
    nearest = int((costs - share * costs[-1]).abs().argmin())
    land = _Landscape(price, worth, 0.0)
    land = _Landscape(price, worth, land.macs(space[nearest].int().tolist()))
    losses = (torch.tensor(worth, dtype=torch.float64) / space).sum(1) + 0.02 * space.diff(
        dim=1
    ).square().sum(1)
    return land, losses[costs <= land.budget + 1e-9]


def _lands(case: Values) -> Iterator[tuple[int, _Landscape, Tensor]]:
    """A landscape for each run of a case, with its seed."""
    for run in range(int(case["runs"])):
        seed = 1000 * int(case["landscape"]) + run
        yield seed, *_landscape(int(case["layers"]), int(case["widths"]), float(case["budget"]), seed)


def _drive_evolve(evolve: Any, case: Values) -> Values:
    layers, choices = int(case["layers"]), tuple(range(1, int(case["widths"]) + 1))
    on_budget = 0

    def search(land: _Landscape, seed: int, other: int) -> tuple[list[tuple[int, ...]], tuple[int, ...]]:
        asked: list[tuple[int, ...]] = []

        def evaluate(config: Any) -> float:
            asked.append(_checked(config, choices, layers, "evaluates"))
            return land.loss(asked[-1])

        def macs(config: Any) -> float:
            nonlocal on_budget
            cost = land.macs(config)
            on_budget += cost == land.budget
            return cost

        rng = torch.Generator().manual_seed(seed)
        endless = (
            "finds no end: where children are hard to find, give up on a generation after some attempts."
        )
        with other_generators(other), processor_limit(SECONDS, AnswerError("Returned", endless)):
            best = evolve(
                evaluate, macs, [choices] * layers, land.budget, case["population"], case["generations"], rng
            )
        best = _checked(best, choices, layers, "returned")
        if not asked:
            raise AnswerError("Returned", "never calls evaluate: how does it know what is good?")
        return asked, best

    found = [search(land, seed, seed) for seed, land, _ in _lands(case)]
    seed, land, _ = next(_lands(case))
    again, _ = search(
        land, seed, seed + 1
    )  # the global generators, which must not be used, now give other numbers
    most = max(len(asked) for asked, _ in found)
    table = torch.zeros(len(found), most, layers, dtype=torch.uint8)  # a row of zeros: nothing was asked
    for row, (asked, _) in zip(table, found, strict=True):
        row[: len(asked)] = torch.tensor(asked)
    return {
        "asked": table,
        "best": torch.tensor([best for _, best in found], dtype=torch.uint8),
        "again": torch.tensor(again, dtype=torch.uint8),
        "on_budget": on_budget,
    }


def _checked(config: Any, choices: Sequence[int], layers: int, verb: str) -> tuple[int, ...]:
    """A configuration as plain numbers; `AnswerError` if it is none."""
    if isinstance(config, tuple):
        widths = tuple(plain(width) for width in config)
        if len(widths) == layers and all(width in choices for width in widths):
            return widths
    raise AnswerError("Returned", f"{verb} {config!r}; a configuration is a tuple of one width a layer.")


def _inputs_evolve(seed: int) -> list[Values]:
    usual: Values = {"widths": 5, "population": POPULATION, "generations": GENERATIONS}
    small: Values = {
        "widths": 2,
        "population": 4,
        "generations": 3,
    }  # fewer configurations than may be evaluated
    return [
        {"layers": 6, "budget": 0.5, "landscape": 3 * seed + 1, "runs": 3, **usual},
        {"layers": 3, "budget": 0.6, "landscape": 3 * seed + 2, "runs": 2, **small},
        {"layers": 7, "budget": 0.6, "landscape": 3 * seed + 3, "runs": RUNS, **usual},
    ]


def _judge_evolve(inputs: Values, expected: Values, got: Values) -> None:
    """All from what was asked and returned; MACs and losses are worked out here."""
    detail = f"on the case: {describe(inputs)}"
    limit = int(inputs["population"]) * int(inputs["generations"])
    runs = [[tuple(c) for c in run.tolist() if c[0]] for run in tensor_of(got, "asked").unbind(0)]
    best = [tuple(config) for config in tensor_of(got, "best").tolist()]
    better, exact = [], False
    for (_, land, allowed), asked, find in zip(_lands(inputs), runs, best, strict=True):
        if any(land.macs(config) > land.budget for config in (*asked, find)):
            raise CheckFailed("a configuration beyond the budget was evaluated or returned.", detail)
        if len(asked) > limit:
            raise CheckFailed(
                f"{len(asked)} configurations were evaluated; population × generations allows {limit}.",
                detail,
            )
        if len(set(asked)) < len(asked):
            raise CheckFailed("a configuration was evaluated twice: keep what you know.", detail)
        if land.loss(find) > min(map(land.loss, asked)) + 1e-9:
            raise CheckFailed("what is returned is not the best of what was evaluated.", detail)
        exact |= any(land.macs(config) == land.budget for config in asked)
        better.append((allowed < land.loss(find) - 1e-9).double().mean().item())
    if runs[0] != [tuple(config) for config in tensor_of(got, "again").tolist()]:
        raise CheckFailed(
            "the same seed of `rng` searches otherwise the second time: all randomness comes from `rng`.",
            detail,
        )
    if int(got["on_budget"]) >= ASKED_OFTEN and not exact:
        raise CheckFailed("a configuration that costs exactly the budget is never evaluated.", detail)
    mean = sum(min(share, SHARE) for share in better) / len(better)
    if len(better) >= RUNS and mean > MEAN_SHARE:
        raise CheckFailed(
            f"{100 * mean:.2f} % of all configurations are better than what a search finds, in the mean of {RUNS}; "
            f"after {limit} evaluations it should be less than {100 * MEAN_SHARE:.2f} %.",
            detail,
        )


EVOLVE = Check(name="evolve", drive=_drive_evolve, inputs=_inputs_evolve, judge=_judge_evolve)
