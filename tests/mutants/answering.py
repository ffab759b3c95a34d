"""What the answers of `tests/mutants`, of `tests/alternatives` and of the solutions give, computed once for all tests."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from efficientlab.authoring.build import source_path
from efficientlab.authoring.recording import Answers, alternative_files, mutant_files
from efficientlab.authoring.source import read_source
from efficientlab.exercises import goldens
from efficientlab.exercises.contract import AnswerError, Case, Exercise, Student, Values
from efficientlab.exercises.labs import MODULES, find_lab

CHECKED = [(number, e) for number in MODULES for e in find_lab(number).exercises if e.check]


def name(value: object) -> str | None:
    """The id of a test's parameter."""
    return value.stem if isinstance(value, Path) else value.id if isinstance(value, Exercise) else None


@cache
def recorded_cases(number: int) -> dict[str, list[Case]]:
    return goldens.load(find_lab(number).slug)


@cache
def solution(number: int) -> Answers:
    lab = find_lab(number)
    return Answers(read_source(source_path(lab), lab), lab)


@cache
def answer(number: int, exercise: Exercise, path: Path | None = None) -> Student:
    """The solution's answer, or that of a file. What it gives on a recorded case it is asked for once."""
    student = solution(number).student(exercise, path and path.read_text())
    recorded = {id(case.inputs) for case in recorded_cases(number)[exercise.id]}
    given: dict[int, Values | AnswerError] = {}

    def remembering(inputs: Values) -> Values:
        if id(inputs) not in recorded:
            return student(inputs)
        if id(inputs) not in given:
            try:
                given[id(inputs)] = student(inputs)
            except AnswerError as error:
                given[id(inputs)] = error
        outcome = given[id(inputs)]
        if isinstance(outcome, AnswerError):
            raise outcome
        return dict(outcome)

    return remembering


def answers(number: int, exercise: Exercise, slips: bool = True) -> dict[str, Student]:
    """The solution, the other right answers and the planted slips of an exercise, by name."""
    lab = find_lab(number)
    paths = [*alternative_files(lab, exercise), *(mutant_files(lab, exercise) if slips else ())]
    return {"solution": answer(number, exercise)} | {p.stem: answer(number, exercise, p) for p in paths}
