"""How surely a right search passes and a random one does not; a budget that nothing meets, or the cheapest alone; and
how many evaluations a solution takes.
"""

import itertools
import json
import math
import random

import pytest
import torch

from efficientlab.environment import ROOT
from efficientlab.exercises import borrow
from efficientlab.exercises.chance import ALARM
from efficientlab.exercises.contract import AnswerError, CheckFailed
from efficientlab.exercises.labs import find_lab
from efficientlab.exercises.searches import (
    GENERATIONS,
    GOOD_SHARE,
    POPULATION,
    RUNS,
    best_tenth,
    drive_evolve,
    drive_tight,
    judge_evolve,
    judge_tight,
    landscape,
    search_inputs,
    tight_inputs,
)

NOTHING, FEW, MANY = tight_inputs(5)


def least(choices):
    return tuple(map(min, choices))


def search(evaluate, macs, choices, budget, population, generations, rng):
    """The cheapest configuration alone, for a budget that it meets."""
    if macs(least(choices)) > budget:
        raise ValueError(f"{budget} MACs are too few: {macs(least(choices)):,} are needed.")
    evaluate(least(choices))
    return least(choices)


def refusing(*text):
    """A search that raises whatever the budget is."""

    def refuse(*given):
        raise ValueError(*text)

    return refuse


def said(answer, case, names_macs=True):
    """What the judge says of an answer; empty where all is well."""
    try:
        judge_tight(case, drive_tight(answer, case), names_macs)
    except CheckFailed as failure:
        return failure.message
    return ""


@pytest.mark.parametrize("case", [NOTHING, FEW, MANY], ids=["nothing", "few", "many"])
@pytest.mark.parametrize("names_macs", [True, False])
def test_a_right_search_passes(case, names_macs):
    assert not said(search, case, names_macs)


def test_where_nothing_fits_an_error_says_so_before_anything_is_evaluated():
    def anyway(evaluate, macs, choices, *rest):
        return least(choices)

    def late(evaluate, macs, choices, *rest):
        evaluate(least(choices))
        raise ValueError(f"{macs(least(choices))} MACs are needed")

    assert "must raise a ValueError" in said(anyway, NOTHING)
    assert "must raise a ValueError" in said(lambda *given: None, NOTHING)
    assert "before the ValueError" in said(late, NOTHING)


def test_an_error_without_the_macs_will_do_where_they_are_not_asked_for():
    assert "must name the MACs" in said(refusing("the budget is too small"), NOTHING)
    assert not said(refusing("the budget is too small"), NOTHING, names_macs=False)
    assert "in a sentence" in said(refusing(), NOTHING, names_macs=False)


def test_the_macs_of_the_first_choices_are_not_those_of_the_cheapest():
    def first(evaluate, macs, choices, *rest):
        raise ValueError(f"the smallest has {macs(tuple(menu[0] for menu in choices)):_} MACs")

    assert "the MACs of the first choices" in said(first, NOTHING)


def test_where_the_cheapest_alone_fits_it_is_evaluated_once_and_returned():
    def unseen(evaluate, macs, choices, *rest):
        return least(choices)

    def twice(*given):
        return search(*given) and search(*given)

    assert "just meets raised a ValueError" in said(refusing("it does not fit"), FEW)
    assert "it is the one to evaluate and to return" in said(unseen, FEW)
    assert "it is the one to evaluate and to return" in said(twice, MANY)


def test_few_configurations_begin_with_the_cheapest_and_many_do_not():
    """So that who takes the first choice for the least is told from who refuses a budget that is just met."""

    def first(evaluate, macs, choices, budget, *rest):
        chosen = tuple(menu[0] for menu in choices)
        if macs(chosen) > budget:
            raise ValueError("the first choices do not fit")
        evaluate(chosen)
        return chosen

    assert not said(first, FEW)
    assert said(first, MANY)


def for_ever(evaluate, macs, choices, *rest):
    while True:
        macs(least(choices))


def test_a_search_that_asks_without_an_end_is_told_on_any_machine(monkeypatch):
    monkeypatch.setattr("efficientlab.exercises.searches.SECONDS", 600)
    monkeypatch.setattr("efficientlab.exercises.searches.ASKED", 1000)
    with pytest.raises(AnswerError, match="finds no end"):
        drive_tight(for_ever, MANY)
    with pytest.raises(AnswerError, match="finds no end"):
        drive_evolve(for_ever, search_inputs(5)[1])


def test_a_search_without_an_end_that_asks_nothing_is_told(monkeypatch):
    monkeypatch.setattr("efficientlab.exercises.searches.SECONDS", 0.05)

    def endless(*given):
        while True:
            pass

    with pytest.raises(AnswerError, match="finds no end"):
        drive_tight(endless, MANY)


@pytest.mark.parametrize("seed", range(3))
def test_a_landscape_is_known_as_a_whole(seed):
    widths = (3, 2, 4, 3)
    land = landscape(widths, 0.6, seed)
    space = list(itertools.product(*(range(1, most + 1) for most in widths)))
    macs, losses = map(torch.tensor, ([land.macs(c) for c in space], [land.loss(c) for c in space]))
    assert torch.allclose(land.all_macs(widths).flatten().float(), macs)
    assert torch.allclose(land.all_losses(widths).flatten().float(), losses)
    assert abs(land.budget - 0.6 * max(map(land.macs, space))) == pytest.approx(
        float((macs - 0.6 * macs.max()).abs().min()), abs=1e-5
    )
    assert land.budget in map(land.macs, space)
    allowed = [land.loss(c) for c in space if land.macs(c) <= land.budget]
    assert sum(loss < best_tenth(land, widths) - 1e-9 for loss in allowed) == len(allowed) // 10


def randomly(evaluate, macs, choices, budget, population, generations, rng):
    """As many configurations as may be evaluated, none of which owes anything to another."""
    draw, known = random.Random(torch.randint(2**31, (), generator=rng).item()), {}
    while len(known) < population * generations:
        config = tuple(map(draw.choice, choices))
        if config not in known and macs(config) <= budget:
            known[config] = evaluate(config)
    return min(known, key=known.get)


@pytest.mark.parametrize(("key", "where"), [("best", (0, 0)), ("asked", (0, 0, 1)), ("asked", (0, 0, 0))])
@pytest.mark.parametrize("width", [0, 200])
def test_a_width_that_no_layer_has_is_refused_and_breaks_nothing(key, where, width):
    case = search_inputs(5)[1] | {"population": 1, "generations": 1}
    answer = {
        key: value.clone() if isinstance(value, torch.Tensor) else value
        for key, value in drive_evolve(randomly, case).items()
    }
    answer[key][where] = width
    with pytest.raises(CheckFailed, match="is no configuration"):
        judge_evolve(case, {}, answer)


@pytest.mark.parametrize("seed", range(3))
def test_a_random_search_is_refused_for_what_it_looks_at(seed):
    case = search_inputs(700 + seed)[-1]
    with pytest.raises(CheckFailed, match=r"(8|9|10|11|12) % of what a search evaluates"):
        judge_evolve(case, {}, drive_evolve(randomly, case))


def test_a_random_search_never_passes():
    """Chernoff's bound, which holds for draws without replacement, too: each is good with a chance of a tenth."""
    draws = RUNS * POPULATION * GENERATIONS / 2
    surprise = GOOD_SHARE * math.log(GOOD_SHARE / 0.1) + (1 - GOOD_SHARE) * math.log((1 - GOOD_SHARE) / 0.9)
    assert math.exp(-draws * surprise) < 1e-40


def test_right_searches_pass_but_once_in_a_million_times():
    """Chernoff's bound for the mean of `RUNS` landscapes like those measured, and one more without anything good."""
    record = json.loads((ROOT / "benchmarks" / "results" / "search-shares.json").read_text(encoding="utf-8"))
    assert {name.split()[0].split("_")[0] for name in record["shares"]} == {"1.10", "2.10", "6.14"}
    for name, counts in record["shares"].items():
        share = torch.tensor([0.0, *map(float, counts)], dtype=torch.float64)
        weight = torch.tensor([1, *counts.values()], dtype=torch.float64)
        assert weight.sum() > 2000
        theta = torch.arange(0.0, 100.0, 0.1, dtype=torch.float64)[:, None]
        moments = ((theta * (GOOD_SHARE - share)).exp() * weight).sum(1) / weight.sum()
        assert (moments**RUNS).min() < 1e-9 < ALARM, name


@pytest.mark.parametrize(("number", "exercise"), [(1, "1.10"), (2, "2.10"), (6, "6.14")])
@pytest.mark.parametrize("population", [1, 2, 5])
def test_a_solution_takes_no_more_evaluations_than_it_may(number, exercise, population):
    evolve = borrow.hand_out(find_lab(number).slug, exercise, "evolve")
    asked = []
    rng = torch.Generator().manual_seed(population)
    evolve(lambda config: asked.append(config) or sum(config), sum, [(1, 2, 3)] * 4, 9, population, 3, rng)
    assert len(asked) == len(set(asked)) == 3 * population
