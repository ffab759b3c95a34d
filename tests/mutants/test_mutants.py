"""Each planted slip fails the public and the hidden check by name; each right answer passes both.

A mutant is a file `labN/EXERCISE_slip.py` whose docstring is the sentence that a student with that slip should
read. A file in `tests/alternatives` is a right answer that is written in another way than the solution.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from answering import CHECKED, answer, name, recorded_cases

from efficientlab.authoring.build import same_cases
from efficientlab.authoring.recording import SEED, alternative_files, answered, mutant_files, slip_sentence
from efficientlab.exercises.contract import Case, CheckFailed, Exercise, close, run_check
from efficientlab.exercises.lab import Lab
from efficientlab.exercises.labs import MODULES, find_lab

FRESH_SEED = 20261
PREDICTIONS = {"by_hand", "latency_ratios", "memory_bound"}  # dictionaries: they have no inputs to vary

SEARCHES = {"1.10", "2.10", "6.14"}  # judged by 32 runs a case: their answers take half of all answers' time


def asked(files: Callable[[Lab, Exercise], list[Path]]) -> list[Any]:
    """The exercises' answers among these files."""
    return [
        pytest.param(number, e, path, marks=[pytest.mark.slow] if e.id in SEARCHES else [])
        for number, e in CHECKED
        for path in files(find_lab(number), e)
    ]


@cache
def fresh_cases(number: int, exercise: Exercise) -> list[Case]:
    assert exercise.check is not None
    return answered(exercise.check.inputs(FRESH_SEED), answer(number, exercise), {})


@pytest.mark.parametrize(("number", "exercise"), CHECKED, ids=name)
def test_there_are_at_least_five_mutants_and_an_alternative(number: int, exercise: Exercise) -> None:
    assert len(mutant_files(find_lab(number), exercise)) >= 5
    assert alternative_files(find_lab(number), exercise)


@pytest.mark.parametrize(("number", "exercise", "path"), asked(mutant_files), ids=name)
def test_a_mutant_fails_both_checks_by_name(number: int, exercise: Exercise, path: Path) -> None:
    assert exercise.check is not None
    student = answer(number, exercise, path)
    recorded = recorded_cases(number)[exercise.id]
    with pytest.raises(CheckFailed) as public:
        run_check(exercise.check, student, recorded)
    with pytest.raises(CheckFailed) as hidden:
        run_check(exercise.check, student, fresh_cases(number, exercise), diagnose=recorded)
    assert public.value.message == hidden.value.message == f"{slip_sentence(path)}."


@pytest.mark.parametrize(("number", "exercise", "path"), asked(alternative_files), ids=name)
def test_another_right_answer_passes_both_checks(number: int, exercise: Exercise, path: Path) -> None:
    assert exercise.check is not None
    student = answer(number, exercise, path)
    assert run_check(exercise.check, student, recorded_cases(number)[exercise.id]) > 0
    assert run_check(exercise.check, student, fresh_cases(number, exercise)) > 0


@pytest.mark.parametrize(("number", "exercise"), CHECKED, ids=name)
def test_the_solution_passes_both_checks(number: int, exercise: Exercise) -> None:
    assert exercise.check is not None
    student = answer(number, exercise)
    assert run_check(exercise.check, student, recorded_cases(number)[exercise.id]) > 0
    assert run_check(exercise.check, student, fresh_cases(number, exercise)) > 0


@pytest.mark.parametrize(("number", "exercise"), CHECKED, ids=name)
def test_fresh_cases_are_not_the_recorded_ones(number: int, exercise: Exercise) -> None:
    assert exercise.check is not None
    recorded = recorded_cases(number)[exercise.id]
    assert len(recorded) == len(exercise.check.inputs(SEED))
    if exercise.check.name in PREDICTIONS:
        return
    fresh = fresh_cases(number, exercise)
    assert any(
        not close(a.inputs[k], b.inputs[k]) for a, b in zip(recorded, fresh, strict=True) for k in a.inputs
    )


@pytest.mark.slow
@pytest.mark.parametrize(("number", "exercise"), CHECKED, ids=name)
def test_the_committed_goldens_are_what_the_solution_and_the_mutants_answer(
    number: int, exercise: Exercise
) -> None:
    assert exercise.check is not None
    recorded = recorded_cases(number)[exercise.id]
    drawn = [Case(inputs, {}, {}) for inputs in exercise.check.inputs(SEED)]
    assert same_cases({exercise.id: [Case(case.inputs, {}, {}) for case in recorded]}, {exercise.id: drawn})
    slips = {
        slip_sentence(path): answer(number, exercise, path)
        for path in mutant_files(find_lab(number), exercise)
    }
    now = answered([case.inputs for case in recorded], answer(number, exercise), slips)
    assert same_cases({exercise.id: recorded}, {exercise.id: now})


@pytest.mark.parametrize("number", MODULES)
def test_what_is_recorded_is_of_an_exercise_with_a_check(number: int) -> None:
    assert recorded_cases(number).keys() == {e.id for n, e in CHECKED if n == number}
