"""A search under a budget that nothing meets, or the cheapest alone; and how many evaluations a solution takes."""

import pytest
import torch

from efficientlab.exercises import borrow
from efficientlab.exercises.contract import AnswerError, CheckFailed
from efficientlab.exercises.labs import find_lab
from efficientlab.exercises.searches import drive_tight, judge_tight, tight_inputs

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


def test_a_search_without_an_end_is_told(monkeypatch):
    monkeypatch.setattr("efficientlab.exercises.searches.SECONDS", 0.05)

    def endless(*given):
        while True:
            pass

    with pytest.raises(AnswerError, match="finds no end"):
        drive_tight(endless, MANY)


@pytest.mark.parametrize(("number", "exercise"), [(1, "1.10"), (2, "2.10"), (6, "6.14")])
@pytest.mark.parametrize("population", [1, 2, 5])
def test_a_solution_takes_no_more_evaluations_than_it_may(number, exercise, population):
    evolve = borrow.hand_out(find_lab(number).slug, exercise, "evolve")
    asked = []
    rng = torch.Generator().manual_seed(population)
    evolve(lambda config: asked.append(config) or sum(config), sum, [(1, 2, 3)] * 4, 9, population, 3, rng)
    assert len(asked) == len(set(asked)) == 3 * population
