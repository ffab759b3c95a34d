"""Record what the solution and every planted slip answer on the public cases: the lab's goldens."""

from __future__ import annotations

import ast
from pathlib import Path

from nbformat import NotebookNode

from efficientlab.environment import ROOT
from efficientlab.exercises.contract import AnswerError, Case, Exercise, Student, Values
from efficientlab.exercises.lab import Lab
from efficientlab.exercises.student import local_student
from efficientlab.grading.reading.cell import Cell
from efficientlab.grading.reading.submission import parse_notebook
from efficientlab.grading.running.workspace import Workspace
from efficientlab.grading.score import prelude_of

SEED = 0  # of the public cases; the grader draws its own


def mutant_files(lab: Lab, exercise: Exercise) -> list[Path]:
    """The planted slips of one exercise: files `EXERCISE_slip.py` whose docstring is the slip's sentence."""
    return sorted((ROOT / "tests" / "mutants" / f"lab{lab.number}").glob(f"{exercise.id}_*.py"))


def slip_sentence(path: Path) -> str:
    """The sentence that a mutant's file starts with, on one line and without its full stop."""
    sentence = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    if not sentence:
        raise ValueError(f"{path}: a mutant starts with a docstring that names its misconception.")
    return " ".join(sentence.split()).rstrip(".")


def bind(
    lab: Lab, prelude: list[str], cells: tuple[Cell, ...], exercise: Exercise, source: str | None
) -> Student:
    """The solution's answer to an exercise; or, with `source`, that text in its place."""
    assert exercise.check is not None
    if source is not None:
        others = [cell for cell in cells if exercise.id not in cell.exercises]
        cells = (*others, Cell(0, source, (exercise.id,)))
    return local_student(exercise.check, Workspace(lab, prelude, cells).answer(exercise.id))


def record_cases(notebook: NotebookNode, lab: Lab) -> dict[str, list[Case]]:
    """The recorded cases of every exercise of a lab, from its solution notebook and `tests/mutants`."""
    prelude = prelude_of(notebook)
    cells = parse_notebook(notebook, lab, Path(f"{lab.slug}.py")).cells
    cases: dict[str, list[Case]] = {}
    for exercise in lab.exercises:
        if exercise.check is None:
            continue
        solution = bind(lab, prelude, cells, exercise, None)
        slips = {
            slip_sentence(path): bind(lab, prelude, cells, exercise, path.read_text(encoding="utf-8"))
            for path in mutant_files(lab, exercise)
        }
        cases[exercise.id] = [
            Case(
                inputs,
                solution(inputs),
                {sentence: _outcome(slip, inputs) for sentence, slip in slips.items()},
            )
            for inputs in exercise.check.inputs(SEED)
        ]
    return cases


def _outcome(student: Student, inputs: Values) -> Values | str:
    """A slip's outputs; the error's text where it raises one."""
    try:
        return student(inputs)
    except AnswerError as error:
        return str(error)
