"""Each planted slip fails the public and the hidden check by name; each right answer passes both.

A mutant is a file `labN/EXERCISE_slip.py` whose docstring is the sentence that a student with that slip should
read. A file in `tests/alternatives` is a right answer that is written in another way than the solution.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from efficientlab.authoring.build import source_path
from efficientlab.authoring.record import SEED, bind, mutant_files, record_cases, slip_sentence
from efficientlab.authoring.source import read_source
from efficientlab.environment import ROOT
from efficientlab.exercises.contract import Case, CheckFailed, Exercise, Student, close, run_check
from efficientlab.exercises.lab import Lab
from efficientlab.exercises.labs import MODULES, find_lab
from efficientlab.grading.reading.cell import Cell
from efficientlab.grading.reading.submission import parse_notebook
from efficientlab.grading.score import prelude_of

FRESH_SEED = 20261
PREDICTIONS = {"by_hand", "latency_ratios", "memory_bound"}  # dictionaries: they have no inputs to vary

CHECKED = [(number, e) for number in MODULES for e in find_lab(number).exercises if e.check]
MUTANTS = [(number, e, path) for number, e in CHECKED for path in mutant_files(find_lab(number), e)]
ALTERNATIVES = [
    (number, e, path)
    for number, e in CHECKED
    for path in sorted((ROOT / "tests" / "alternatives" / f"lab{number}").glob(f"{e.id}_*.py"))
]


@cache
def solution(number: int) -> tuple[Lab, list[str], tuple[Cell, ...]]:
    lab = find_lab(number)
    notebook = read_source(source_path(lab), lab)
    return lab, prelude_of(notebook), parse_notebook(notebook, lab, source_path(lab)).cells


def answer(number: int, exercise: Exercise, source: str | None = None) -> Student:
    return bind(*solution(number), exercise, source)


@cache
def fresh_cases(number: int, exercise: Exercise) -> list[Case]:
    assert exercise.check is not None
    right = answer(number, exercise)
    return [Case(inputs, right(inputs), {}) for inputs in exercise.check.inputs(FRESH_SEED)]


def name(value: object) -> str | None:
    return value.stem if isinstance(value, Path) else value.id if isinstance(value, Exercise) else None


@pytest.mark.parametrize(("number", "exercise"), CHECKED, ids=name)
def test_there_are_at_least_five_mutants_and_an_alternative(number: int, exercise: Exercise) -> None:
    assert len(mutant_files(find_lab(number), exercise)) >= 5
    assert [e for _, e, _ in ALTERNATIVES if e.id == exercise.id]


@pytest.mark.parametrize(("number", "exercise", "path"), MUTANTS, ids=name)
def test_a_mutant_fails_both_checks_by_name(number: int, exercise: Exercise, path: Path) -> None:
    assert exercise.check is not None
    student = answer(number, exercise, path.read_text())
    recorded = find_lab(number).recorded(exercise.id)
    with pytest.raises(CheckFailed) as public:
        run_check(exercise.check, student, recorded)
    with pytest.raises(CheckFailed) as hidden:
        run_check(exercise.check, student, fresh_cases(number, exercise), diagnose=recorded)
    assert public.value.message == hidden.value.message == f"{slip_sentence(path)}."


@pytest.mark.parametrize(("number", "exercise", "path"), ALTERNATIVES, ids=name)
def test_another_right_answer_passes_both_checks(number: int, exercise: Exercise, path: Path) -> None:
    assert exercise.check is not None
    student = answer(number, exercise, path.read_text())
    assert run_check(exercise.check, student, find_lab(number).recorded(exercise.id)) > 0
    assert run_check(exercise.check, student, fresh_cases(number, exercise)) > 0


@pytest.mark.parametrize(("number", "exercise"), CHECKED, ids=name)
def test_the_solution_passes_both_checks(number: int, exercise: Exercise) -> None:
    assert exercise.check is not None
    student = answer(number, exercise)
    assert run_check(exercise.check, student, find_lab(number).recorded(exercise.id)) > 0
    assert run_check(exercise.check, student, fresh_cases(number, exercise)) > 0


@pytest.mark.parametrize(("number", "exercise"), CHECKED, ids=name)
def test_fresh_cases_are_not_the_recorded_ones(number: int, exercise: Exercise) -> None:
    assert exercise.check is not None
    recorded = find_lab(number).recorded(exercise.id)
    assert len(recorded) == len(exercise.check.inputs(SEED))
    if exercise.check.name in PREDICTIONS:
        return
    fresh = fresh_cases(number, exercise)
    assert any(
        not close(a.inputs[k], b.inputs[k]) for a, b in zip(recorded, fresh, strict=True) for k in a.inputs
    )


@pytest.mark.slow
@pytest.mark.parametrize("number", MODULES)
def test_the_committed_goldens_are_what_the_solution_and_the_mutants_answer(number: int) -> None:
    lab = find_lab(number)
    again = record_cases(read_source(source_path(lab), lab), lab)
    for exercise_id, cases in again.items():
        for now, kept in zip(cases, lab.recorded(exercise_id), strict=True):
            assert now.expected.keys() == kept.expected.keys()
            assert all(close(now.expected[k], kept.expected[k]) for k in now.expected)
            assert now.slips.keys() == kept.slips.keys()
