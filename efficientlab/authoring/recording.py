"""Record what the solution and every planted slip answer on the public cases: the lab's goldens."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Mapping, Sequence
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


def alternative_files(lab: Lab, exercise: Exercise) -> list[Path]:
    """The right answers to one exercise that are written in another way than the solution: `EXERCISE_form.py`."""
    return sorted((ROOT / "tests" / "alternatives" / f"lab{lab.number}").glob(f"{exercise.id}_*.py"))


def slip_sentence(path: Path) -> str:
    """The sentence that a mutant's file starts with, on one line and without its full stop."""
    sentence = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    if not sentence:
        raise ValueError(f"{path}: a mutant starts with a docstring that names its misconception.")
    return " ".join(sentence.split()).rstrip(".")


class Answers:
    """The answers of a lab's solution; or, in place of one of them, of another text. The prelude runs once."""

    def __init__(self, notebook: NotebookNode, lab: Lab) -> None:
        self.lab = lab
        self._cells = parse_notebook(notebook, lab, Path(f"{lab.slug}.py")).cells
        self._workspace = Workspace(lab, prelude_of(notebook), self._cells)

    def student(self, exercise: Exercise, source: str | None = None) -> Student:
        """The solution's answer to an exercise; or, with `source`, that text's."""
        assert exercise.check is not None
        cells = self._cells
        if source is not None:
            # what is taken out leaves an empty cell: the others stay where they were parsed
            others = [Cell(c.number, "") if exercise.id in c.exercises else c for c in cells]
            cells = (*others, Cell(0, source, (exercise.id,)))
        self._workspace.load(cells)
        return local_student(exercise.check, self._workspace.answer(exercise.id))


def record_cases(notebook: NotebookNode, lab: Lab) -> dict[str, list[Case]]:
    """The recorded cases of every exercise of a lab, from its solution notebook and `tests/mutants`."""
    answers = Answers(notebook, lab)
    cases: dict[str, list[Case]] = {}
    for exercise in lab.exercises:
        if exercise.check is None:
            continue
        slips = {
            slip_sentence(path): answers.student(exercise, path.read_text(encoding="utf-8"))
            for path in mutant_files(lab, exercise)
        }
        inputs = exercise.check.inputs(SEED)
        cases[exercise.id] = answered(inputs, answers.student(exercise), slips)
    return cases


def answered(inputs: Sequence[Values], solution: Student, slips: Mapping[str, Student]) -> list[Case]:
    """Cases with these inputs: what the solution and the slips, by their sentences, answer to each."""
    return [
        Case(one, solution(one), {sentence: _outcome(slip, one) for sentence, slip in slips.items()})
        for one in inputs
    ]


def _outcome(student: Student, inputs: Values) -> Values | str:
    """A slip's outputs; the error's text where it raises one."""
    with warnings.catch_warnings(action="ignore"):  # a slip may well do what torch warns of
        try:
            return student(inputs)
        except AnswerError as error:
            return str(error)
