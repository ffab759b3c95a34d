"""Right answers pass on every seed: the solution and its alternatives, on cases that nobody chose.

EFFICIENTLAB_SEEDS=2000 runs as many as a class will ever see; the ordinary suite runs a few, other ones each day.
"""

from __future__ import annotations

import datetime
import os

import pytest
from answering import CHECKED, answers, name

from efficientlab.authoring.recording import answered
from efficientlab.exercises.contract import Exercise, run_check

SEEDS = int(os.environ.get("EFFICIENTLAB_SEEDS", "3"))
FIRST = 1_000_000 + 1000 * (datetime.date.today().toordinal() % 1000)


@pytest.mark.slow
@pytest.mark.parametrize(("number", "exercise"), CHECKED, ids=name)
def test_right_answers_pass_on_every_seed(number: int, exercise: Exercise) -> None:
    assert exercise.check is not None
    right = answers(number, exercise, slips=False)
    for seed in range(FIRST, FIRST + SEEDS):
        cases = answered(exercise.check.inputs(seed), right["solution"], {})
        for answer, student in right.items():
            assert run_check(exercise.check, student, cases) == len(cases), (seed, answer)
