"""Recorded cases do not depend on the processor: outputs move by less than a tenth of their tolerance.

`python -m efficientlab.authoring.margins` measures more: fresh cases, double precision, other vector instructions.
"""

from __future__ import annotations

import math

import pytest
import torch
from answering import CHECKED, answers, name, recorded_cases

from efficientlab.authoring.margins import ALLOWED, margins, movement
from efficientlab.exercises.contract import Exercise, Values


def reads_numbers(inputs: list[Values]) -> bool:
    """Whether a case has numbers that can be off."""
    values = [value for case in inputs for value in case.values()]
    return any(isinstance(value, torch.Tensor) and value.is_floating_point() for value in values)


@pytest.mark.slow
@pytest.mark.parametrize(("number", "exercise"), CHECKED, ids=name)
def test_no_output_hangs_on_the_last_digits(number: int, exercise: Exercise) -> None:
    recorded = [case.inputs for case in recorded_cases(number)[exercise.id]]
    if not reads_numbers(recorded):
        return  # counts and predictions: there are no digits to be off
    cases = {f"recorded {i}": inputs for i, inputs in enumerate(recorded)}
    found = list(margins(exercise.id, cases, answers(number, exercise), ["inputs off by 1e-6"]))
    assert found
    assert not [str(margin) for margin in found if margin.factor > ALLOWED]


def test_movement_is_measured_in_tolerances() -> None:
    still = {"y": torch.tensor([1.0, 2.0]), "n": 3, "right": True}
    moved = {**still, "y": torch.tensor([1.0, 2.0 + 2e-5])}
    assert movement(still, still) == (0.0, "y")
    factor, output = movement(still, moved)
    assert output == "y"
    assert factor == pytest.approx(0.1, rel=1e-2)
    assert movement(still, {**still, "right": False}) == (math.inf, "right")
    assert movement(still, {"y": still["y"]})[0] == math.inf
    assert movement("RuntimeError: one text", "RuntimeError: another")[0] == 0
    assert movement("RuntimeError: one text", still)[0] == math.inf
