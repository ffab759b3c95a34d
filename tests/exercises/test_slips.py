"""Which misconception a wrong answer shows: by the cases that show it, output by output, and never two."""

import numpy as np
import pytest
import torch

from efficientlab.exercises.slips import Evidence, known_slip
from efficientlab.exercises.values import is_number, plain

RIGHT = {"y": torch.tensor([1.0, 2.0]), "n": 3}
SLIPS = {
    "negative": {"y": torch.tensor([-1.0, -2.0]), "n": 3},
    "doubled": {"y": torch.tensor([2.0, 4.0]), "n": 6},
    "raises": "RuntimeError: sizes 3 and 4 do not match",
}


def evidence(got, slips=SLIPS, right=False):
    return Evidence(RIGHT, slips, got, right)


def test_a_slip_is_named_by_all_cases():
    assert known_slip([evidence(SLIPS["negative"]), evidence(SLIPS["negative"])]) == "negative"


def test_a_slip_is_named_by_the_cases_that_show_it():
    assert known_slip([evidence(RIGHT, right=True), evidence(SLIPS["negative"])]) == "negative"
    assert known_slip([evidence("ValueError: of its own"), evidence(SLIPS["negative"])]) == "negative"


def test_a_slip_is_named_by_the_first_wrong_output():
    got = {"y": SLIPS["doubled"]["y"], "n": 5}  # the second one is wrong in a way that nobody planted
    assert known_slip([evidence(got)]) == "doubled"


def test_an_output_that_follows_from_an_unexplained_one_names_no_slip():
    got = {"y": torch.tensor([5.0, 6.0]), "n": 6}  # the first one is wrong in a way that nobody planted
    assert known_slip([evidence(got)]) is None
    right_first = [evidence({**RIGHT, "n": 6}), evidence(got)]
    assert known_slip(right_first) is None


def test_outputs_in_order_tell_slips_apart_that_share_the_first():
    slips = {
        "six": {"y": SLIPS["negative"]["y"], "n": 6, "k": 1},
        "five": {"y": SLIPS["negative"]["y"], "n": 5, "k": 1},
    }
    expected = {**RIGHT, "k": 0}
    named = Evidence(expected, slips, {"y": SLIPS["negative"]["y"], "n": 6, "k": 7}, False)
    assert known_slip([named]) == "six"
    follows = Evidence(
        expected, {**slips, "five": {**slips["five"], "k": 2}}, {**named.got, "n": 9, "k": 2}, False
    )
    assert known_slip([follows]) is None


def test_a_right_output_behind_a_wrong_one_rules_a_slip_out():
    expected = {"read": 2, "written": 1, "read later": 4}
    slips = {
        "swapped": {"read": 1, "written": 2, "read later": 3},
        "reads one": {"read": 1, "written": 1, "read later": 4},
    }
    # "reads one", and a fault of its own in what comes later
    both = {"read": 1, "written": 1, "read later": 3}
    assert known_slip([Evidence(expected, slips, both, False)]) == "reads one"


def test_two_slips_are_never_named():
    twins = {"a": SLIPS["negative"], "b": SLIPS["negative"]}
    assert known_slip([evidence(SLIPS["negative"], twins)]) is None
    apart = {**twins, "b": {"y": SLIPS["negative"]["y"], "n": 7}}
    assert known_slip([evidence(SLIPS["negative"], apart)]) == "a"


def test_an_answer_that_is_wrong_in_its_own_way_has_no_name():
    assert known_slip([evidence({"y": torch.tensor([9.0, 9.0]), "n": 3})]) is None
    other = {"y": torch.tensor([2.0, 4.0]), "n": 3}
    assert known_slip([evidence(SLIPS["negative"]), evidence(other)]) is None


def test_errors_are_alike_by_kind_where_the_slip_shows_elsewhere():
    mixed = [evidence("RuntimeError: worded otherwise", {"mixed": SLIPS["raises"]})]
    mixed.append(evidence(SLIPS["negative"], {"mixed": SLIPS["negative"]}))
    assert known_slip(mixed) == "mixed"


def test_errors_that_are_all_that_a_slip_shows_are_alike_by_their_text():
    assert known_slip([evidence(SLIPS["raises"])]) == "raises"
    assert known_slip([evidence("RuntimeError: something else")]) is None
    assert known_slip([evidence("Returned: a list", {"s": "Returned: a dictionary"})]) is None


def test_a_flag_alone_says_little_and_names_no_slip_by_itself():
    flags = {"y": torch.tensor([1.0, 2.0]), "kept": True}
    slip = {"y": torch.tensor([0.0, 0.0]), "kept": False}
    got = {"y": torch.tensor([7.0, 7.0]), "kept": False}
    assert known_slip([Evidence(flags, {"whole": slip}, got, False)]) is None


def test_a_flag_that_a_slip_does_not_raise_rules_it_out():
    expected = {"kept": True, **RIGHT}
    got = {"kept": False, "y": SLIPS["negative"]["y"], "n": 9}
    keeps, loses = ({"kept": kept, **SLIPS["negative"]} for kept in (True, False))
    assert known_slip([Evidence(expected, {"keeps": keeps, "loses": loses}, got, False)]) == "loses"
    assert known_slip([Evidence(expected, {"keeps": keeps}, got, False)]) is None


def test_a_missing_output_is_a_wrong_one():
    assert known_slip([evidence({"n": 6})]) is None
    assert known_slip([evidence({"y": SLIPS["doubled"]["y"]})]) == "doubled"


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (np.int64(3), 3),
        (np.float32(0.5), 0.5),
        (np.bool_(True), True),
        (torch.tensor(4), 4),
        (torch.tensor(2.5), 2.5),
        (np.array(7), 7),
        (3, 3),
    ],
)
def test_numbers_of_numpy_and_torch_are_numbers(value, number):
    assert plain(value) == number
    assert type(plain(value)) is type(number)


@pytest.mark.parametrize("value", ["3", None, torch.ones(2), np.ones(2), [1]])
def test_other_things_are_not(value):
    assert not is_number(plain(value))
