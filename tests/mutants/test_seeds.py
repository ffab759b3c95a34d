"""Right answers pass on every seed: the solution and its alternatives, on cases that nobody chose.

EFFICIENTLAB_SEEDS=2000 runs as many as a class will ever see; the ordinary suite runs a few, other ones each day.
"""

from __future__ import annotations

import datetime
import os

import pytest

from efficientlab.authoring.margins import answers_to
from efficientlab.authoring.record import mutant_files
from efficientlab.exercises.contract import Case, Exercise, run_check
from efficientlab.exercises.labs import MODULES, find_lab

SEEDS = int(os.environ.get("EFFICIENTLAB_SEEDS", "3"))
FIRST = 1_000_000 + 1000 * (datetime.date.today().toordinal() % 1000)
CHECKED = [(number, e) for number in MODULES for e in find_lab(number).exercises if e.check]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "exercise"), CHECKED, ids=lambda v: v.id if isinstance(v, Exercise) else None
)
def test_right_answers_pass_on_every_seed(number: int, exercise: Exercise) -> None:
    assert exercise.check is not None
    lab = find_lab(number)
    wrong = {path.stem for path in mutant_files(lab, exercise)}
    right = {name: student for name, student in answers_to(lab, exercise) if name not in wrong}
    for seed in range(FIRST, FIRST + SEEDS):
        cases = [Case(inputs, right["solution"](inputs), {}) for inputs in exercise.check.inputs(seed)]
        for name, student in right.items():
            assert run_check(exercise.check, student, cases) == len(cases), (seed, name)
