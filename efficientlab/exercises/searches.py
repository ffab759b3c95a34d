"""How a search is judged: on landscapes whose best configurations are known, because all of them can be tried.

A search is called `evolve(evaluate, macs, choices, budget, population, generations, rng)`, and returns the best
configuration that it found. Two budgets are judged apart, as `tight`: one that no configuration meets, and one that
the cheapest alone meets.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from math import prod
from statistics import fmean
from typing import Any

import torch
from torch import Tensor

from efficientlab.exercises.cases import other_generators, processor_limit, tensor_of
from efficientlab.exercises.contract import (
    AnswerError,
    Check,
    CheckFailed,
    Values,
    describe,
    is_number,
    plain,
)

POPULATION, GENERATIONS, RUNS = 16, 8, 10
GOOD_SHARE = 0.3
"""How good a search must be: of what it evaluates in its second half, how much is among the best tenth of all that is
within the budget, in the mean of `RUNS` landscapes. Right answers have 0.54 to 0.72, as `benchmarks/search_shares.py`
measured. That they fall below the limit has, by Chernoff's bound, a probability below 10⁻⁹. Random search has 0.1, and
reaches the limit with a probability below 10⁻⁴⁰.
"""
SECONDS = 3  # of the processor, for one search
ASKED = 50_000  # times that the MACs of a configuration may be asked for, in one search
ASKED_OFTEN = 20  # times that the MACs of a configuration were asked for, and it was not evaluated


@dataclass(frozen=True)
class Landscape:
    """A search space whose best configurations are known, because all of them can be tried."""

    price: tuple[float, ...]
    worth: tuple[float, ...]
    budget: float = 0.0

    def macs(self, config: Sequence[float]) -> float:
        return sum(p * c for p, c in zip(self.price, config, strict=True))

    def loss(self, config: Sequence[int]) -> float:
        """Falls with every width, in each layer at its own pace; less so where neighbours differ."""
        rough = sum((a - b) ** 2 for a, b in itertools.pairwise(config))
        return sum(w / c for w, c in zip(self.worth, config, strict=True)) + 0.02 * rough

    def all_macs(self, widths: Sequence[int]) -> Tensor:
        """`macs` of every configuration, an axis of so many widths a layer; each layer is added once for all."""
        total = torch.zeros((), dtype=torch.float64)
        for p, each in zip(self.price, _counts(widths), strict=True):
            total = total[..., None] + p * each
        return total

    def all_losses(self, widths: Sequence[int]) -> Tensor:
        """`loss` of every configuration, likewise."""
        first, *rest = _counts(widths)
        total, before = self.worth[0] / first, first
        for w, each in zip(self.worth[1:], rest, strict=True):
            total = total[..., None] + (0.02 * (before[:, None] - each).square() + w / each)
            before = each
        return total


def _counts(widths: Sequence[int]) -> list[Tensor]:
    """1, 2, … to each layer's number of widths."""
    return [torch.arange(1, most + 1, dtype=torch.float64) for most in widths]


@lru_cache(1000)  # the grader's submissions all have the same ones
def landscape(widths: tuple[int, ...], share: float, seed: int) -> Landscape:
    """A landscape whose budget is the MACs of the configuration that comes nearest to `share` of the widest one's.

    That configuration costs exactly what may be spent. A layer has so many `widths`: 1, 2, …
    """
    generator = torch.Generator().manual_seed(seed)
    price, worth = ((torch.rand(len(widths), generator=generator) + 0.5).tolist() for _ in range(2))
    land = Landscape(tuple(price), tuple(worth))
    costs = land.all_macs(widths)
    nearest = torch.unravel_index((costs - share * costs.max()).abs().argmin(), costs.shape)
    return replace(land, budget=land.macs([int(index) + 1 for index in nearest]))


@lru_cache(1000)
def best_tenth(land: Landscape, widths: tuple[int, ...]) -> float:
    """The loss that the best tenth of all configurations within the budget are below."""
    losses = land.all_losses(widths)[land.all_macs(widths) <= land.budget + 1e-9]
    return losses.kthvalue(len(losses) // 10 + 1).values.item()


def _widths(case: Values) -> tuple[int, ...]:
    """How many widths each layer of a case may have."""
    return tuple(map(int, str(case["widths"]).split()))


def _lands(case: Values) -> Iterator[tuple[int, Landscape]]:
    """A landscape for each run of a case, with its seed."""
    for run in range(int(case["runs"])):
        seed = 1000 * int(case["landscape"]) + run
        yield seed, landscape(_widths(case), float(case["budget"]), seed)


def drive_evolve(evolve: Any, case: Values, sign: int = 1) -> Values:
    """Runs a search on every landscape of a case; `evaluate` gives the loss times `sign`, of which −1 is a quality.

    Landscapes count widths 1, 2, …; the search sees their multiples by 1 in the first layer, by 2 in the second, and so
    on. So who takes one layer's choices for all, or makes a width between two of them, is found out. Where there are
    several landscapes, the first is searched three times.
    """
    menus = [tuple(unit * n for n in range(1, most + 1)) for unit, most in enumerate(_widths(case), 1)]
    endless = AnswerError(
        "Returned",
        "finds no end: where children are hard to find, give up on a generation after some attempts.",
    )
    on_budget = 0

    def search(land: Landscape, seed: int, others: int) -> tuple[list[tuple[int, ...]], tuple[int, ...]]:
        asked: list[tuple[int, ...]] = []

        def evaluate(config: Any) -> float:
            asked.append(_counted(config, menus, "evaluates"))
            return sign * land.loss(asked[-1])

        def macs(config: Any) -> float:
            nonlocal on_budget
            cost = land.macs([width / unit for unit, width in enumerate(config, 1)])
            on_budget += cost == land.budget
            return cost

        rng = torch.Generator().manual_seed(seed)
        with other_generators(others), processor_limit(SECONDS, endless):
            size = case["population"], case["generations"]
            best = evolve(evaluate, _patient(macs, endless), menus, land.budget, *size, rng)
        best = _counted(best, menus, "returned")
        if not asked:
            raise AnswerError("Returned", "never calls evaluate: how does it know what is good?")
        return asked, best

    lands = list(_lands(case))
    found = [search(land, seed, seed) for seed, land in lands]
    repeated: Values = {}
    if len(lands) > 1:
        (seed, land), *_ = lands
        # the global generators, which must not be used, give other numbers; then `rng`, which must be, does
        for name, of_rng, of_others in (("again", seed, seed + 1), ("reseeded", seed + 1, seed)):
            repeated[name] = torch.tensor(search(land, of_rng, of_others)[0], dtype=torch.uint8)
    most = max(len(asked) for asked, _ in found)
    table = torch.zeros(len(found), most, len(menus), dtype=torch.uint8)  # a row of zeros: nothing was asked
    for row, (asked, _) in zip(table, found, strict=True):
        row[: len(asked)] = torch.tensor(asked)
    return {
        "asked": table,
        "best": torch.tensor([best for _, best in found], dtype=torch.uint8),
        **repeated,
        # a truth, no count: by chance a count is that of a slip, which then gives a wrong answer its name
        "often_on_budget": on_budget >= ASKED_OFTEN,
    }


def _patient(macs: Callable[[Any], float], endless: AnswerError) -> Callable[[Any], float]:
    """`macs` for a search that has to come to an end, on any machine: who asks too often is told."""
    left = iter(range(ASKED))

    def asked(config: Any) -> float:
        if next(left, None) is None:
            raise endless
        return macs(config)

    return asked


def _counted(config: Any, menus: Sequence[tuple[int, ...]], verb: str) -> tuple[int, ...]:
    """A configuration's widths as the landscape counts them; `AnswerError` if it is none."""
    widths = tuple(plain(width) for width in config) if isinstance(config, tuple) else ()
    if len(widths) != len(menus) or not all(map(is_number, widths)):
        raise AnswerError("Returned", f"{verb} {config!r}; a configuration is a tuple of one width a layer.")
    for layer, (width, menu) in enumerate(zip(widths, menus, strict=True)):
        if width not in menu:
            raise AnswerError("Returned", f"{verb} {widths}, but layer {layer} may be {menu} wide.")
    return tuple(menu.index(width) + 1 for width, menu in zip(widths, menus, strict=True))


def search_inputs(seed: int) -> list[Values]:
    """A landscape, a space that is smaller than what may be evaluated, and `RUNS` landscapes to be judged by."""
    cases: list[Values] = [
        # the first layer has more widths than others: who draws from its number for all is beyond theirs
        {"widths": "5 4 5 3 5 5", "budget": 0.5, "runs": 1, "population": POPULATION, "generations": 4},
        {"widths": "2 2 2", "budget": 0.6, "runs": 1, "population": 4, "generations": 2},
        {
            "widths": "5 5 5 5 5 5 5",
            "budget": 0.6,
            "runs": RUNS,
            "population": POPULATION,
            "generations": GENERATIONS,
        },
    ]
    return [{**case, "landscape": 3 * seed + number} for number, case in enumerate(cases, 1)]


def evaluated(table: Tensor) -> list[list[tuple[int, ...]]]:
    """What each search evaluated, in order, from a table (run, configuration, layer)."""
    return [[tuple(config) for config in run[run[:, 0].ne(0)].tolist()] for run in table.unbind(0)]


def good_shares(case: Values, runs: Sequence[Sequence[tuple[int, ...]]]) -> list[float]:
    """Of what each search evaluated in its second half, how much is among the best tenth of all within the budget."""
    shares = []
    for (_, land), asked in zip(_lands(case), runs, strict=True):
        tenth = best_tenth(land, _widths(case))
        late = asked[len(asked) // 2 :]
        shares.append(sum(land.loss(config) < tenth for config in late) / len(late))
    return shares


def judge_evolve(inputs: Values, expected: Values, got: Values) -> None:
    """All from what was asked and returned; MACs and losses are worked out here."""
    detail = f"on the case: {describe(inputs)}"
    limit, widths = int(inputs["population"]) * int(inputs["generations"]), _widths(inputs)
    table, finds = tensor_of(got, "asked"), tensor_of(got, "best")
    size = (int(inputs["runs"]), len(widths))
    if table.ndim != 3 or (len(table), table.shape[2]) != size or finds.shape != size:
        raise CheckFailed("what was evaluated and found is no table (run, configuration, layer).", detail)
    most = int(table[:, :, 0].ne(0).sum(1).max())  # first: what is looked through below is then small
    if most > limit:
        raise CheckFailed(
            f"{most} configurations were evaluated; population × generations allows {limit}.", detail
        )
    runs = evaluated(table)
    best = [tuple(config) for config in finds.tolist()]
    menus = [range(1, most + 1) for most in widths]
    if not all(runs) or any(
        n not in menu
        for config in itertools.chain(best, *runs)
        for n, menu in zip(config, menus, strict=True)
    ):
        raise CheckFailed("what was evaluated or found is no configuration.", detail)
    exact = False
    for (_, land), asked, find in zip(_lands(inputs), runs, best, strict=True):
        if any(land.macs(config) > land.budget for config in (*asked, find)):
            raise CheckFailed("a configuration beyond the budget was evaluated or returned.", detail)
        if len(set(asked)) < len(asked):
            raise CheckFailed("a configuration was evaluated twice: keep what you know.", detail)
        if land.loss(find) > min(map(land.loss, asked)) + 1e-9:
            raise CheckFailed("what is returned is not the best of what was evaluated.", detail)
        exact |= any(land.macs(config) == land.budget for config in asked)
    all_may_be_evaluated = prod(widths) <= limit
    if got["often_on_budget"] is True and not exact and all_may_be_evaluated:  # elsewhere it is one of many
        raise CheckFailed("a configuration that costs exactly the budget is never evaluated.", detail)
    if len(runs) > 1:
        _judge_several(inputs, got, runs)


def _judge_several(inputs: Values, got: Values, runs: Sequence[Sequence[tuple[int, ...]]]) -> None:
    """What one search does not show: where its randomness comes from, whether generations lack, how good it is."""
    detail = f"on the case: {describe(inputs)}"
    first = torch.tensor(runs[0])
    again, reseeded = (torch.equal(tensor_of(got, key).to(first), first) for key in ("again", "reseeded"))
    if not again:
        raise CheckFailed(
            "the same seed of `rng` searches otherwise the second time: all randomness comes from `rng`.",
            detail,
        )
    if reseeded:
        raise CheckFailed(
            "another seed of `rng` evaluates the same configurations: draw from `rng` as it is given.", detail
        )
    population, generations = int(inputs["population"]), int(inputs["generations"])
    # the same number in every search: none of them gave up on a generation, which is by chance
    made = {divmod(len(asked), population) for asked in runs}
    if made in [{(full, 0)} for full in range(generations)]:
        raise CheckFailed(
            f"{made.pop()[0]} generations of {population} were evaluated, and {generations} are asked for.",
            detail,
        )
    if (good := fmean(good_shares(inputs, runs))) < GOOD_SHARE:
        raise CheckFailed(
            f"{100 * good:.0f} % of what a search evaluates in its second half is among the best tenth of all that is "
            f"within the budget, in the mean of {RUNS}; where the best have children it is more than "
            f"{100 * GOOD_SHARE:.0f} %.",
            detail,
        )


def drive_tight(evolve: Any, case: Values) -> Values:
    """Runs a search under a budget that nothing meets, or that the cheapest configuration meets exactly, and no other.

    A case has the `price` of a unit of width in each layer, and the `menu`, the choices of every layer.
    """
    price = tensor_of(case, "price").tolist()
    menu = tuple(map(int, str(case["menu"]).split()))
    cheapest, first = ((choice,) * len(price) for choice in (min(menu), menu[0]))
    asked: list[Any] = []

    def macs(config: Any) -> int:
        return sum(p * int(c) for p, c in zip(price, config, strict=True))

    def evaluate(config: Any) -> float:
        asked.append(config)
        return 1.0

    budget = macs(cheapest) - (case["fits"] == "nothing")
    endless = AnswerError(
        "Returned", "finds no end under a budget that no configuration but the cheapest meets, if any."
    )
    answer: Values = {"refused": False, "sentence": False, "named": False, "named_first": False}
    best = None
    try:
        with processor_limit(SECONDS, endless):
            rng = torch.Generator().manual_seed(0)
            best = evolve(evaluate, _patient(macs, endless), [menu] * len(price), budget, 4, 2, rng)
    except ValueError as error:
        answer["refused"] = True
        if case["fits"] == "nothing":  # elsewhere an error is wrong, whatever it says
            said = str(error)
            numbers = said.replace(",", "").replace("_", "").replace("\u202f", "")
            named, named_first = (str(macs(config)) in numbers for config in (cheapest, first))
            answer |= {"sentence": len(said) >= 10, "named": named, "named_first": named_first and not named}
    found = isinstance(best, tuple) and tuple(map(plain, best)) == cheapest
    return {**answer, "found": found, "asked": len(asked)}


def tight_inputs(seed: int) -> list[Values]:
    """Budgets that nothing meets or the cheapest alone; among few configurations, and among too many to draw it."""
    price = torch.randint(1000, 9000, (4,), generator=torch.Generator().manual_seed(seed))
    unordered = "3 5 2 4"  # the least is not the first
    return [
        {"fits": "nothing", "menu": unordered, "price": price},
        {"fits": "the cheapest", "menu": "2 3 4 5", "price": price[:2]},
        {"fits": "the cheapest", "menu": unordered, "price": price.repeat(3)},
    ]


def judge_tight(inputs: Values, got: Values, names_macs: bool) -> None:
    """`names_macs`: whether the error has to say how many MACs the cheapest configuration has."""
    detail = f"on the case: {describe(inputs)}"
    if inputs["fits"] != "nothing":
        if got["refused"] is not False:
            raise CheckFailed(
                "a budget that the cheapest configuration just meets raised a ValueError.", detail
            )
        if got["found"] is not True or got["asked"] != 1:
            raise CheckFailed(
                "under a budget that the cheapest configuration alone meets, it is the one to evaluate and to return.",
                detail,
            )
        return
    if got["refused"] is not True:
        raise CheckFailed(
            "a budget that no configuration meets must raise a ValueError that says so.", detail
        )
    if got["asked"] != 0:
        raise CheckFailed("configurations beyond the budget were evaluated before the ValueError.", detail)
    if names_macs and got["named_first"] is True:
        raise CheckFailed(
            "the ValueError names the MACs of the first choices; the cheapest configuration takes the least of each.",
            detail,
        )
    if names_macs and got["named"] is not True:
        raise CheckFailed("the ValueError must name the MACs of the cheapest configuration.", detail)
    if got["sentence"] is not True:
        raise CheckFailed("nothing is within the budget: the ValueError says so in a sentence.", detail)


def budgeted_search(sign: int = 1, names_macs: bool = False) -> Check:
    """The check of a search that refuses a budget which nothing meets; `sign` as in `drive_evolve`."""

    def drive(evolve: Any, case: Values) -> Values:
        return drive_tight(evolve, case) if "fits" in case else drive_evolve(evolve, case, sign)

    def judge(inputs: Values, expected: Values, got: Values) -> None:
        if "fits" in inputs:
            judge_tight(inputs, got, names_macs)
        else:
            judge_evolve(inputs, expected, got)

    return Check("evolve", drive, lambda seed: [*search_inputs(seed), *tight_inputs(seed)], judge)
