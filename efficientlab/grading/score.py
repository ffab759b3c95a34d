"""Score one submission: the recorded cases, then fresh ones that the solution answers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from efficientlab.environment import ROOT
from efficientlab.exercises.contract import AnswerError, Case, CheckFailed, Exercise, NotWritten, run_check
from efficientlab.exercises.lab import Lab
from efficientlab.exercises.student import local_student
from efficientlab.grading.runner import Box
from efficientlab.grading.submission import Submission, SubmissionError, parse_notebook
from efficientlab.grading.workspace import Workspace


@dataclass(frozen=True)
class Mark:
    """The points of one exercise, and what the check said. `points` is None where a person reads the answer."""

    exercise: Exercise
    points: int | None
    message: str


class Reference:
    """The solution of a lab: what its functions answer on cases that nobody has seen."""

    def __init__(self, lab: Lab, notebook: Path | None = None) -> None:
        self.lab = lab
        path = notebook or ROOT / "solutions" / f"{lab.slug}.ipynb"
        if not path.exists():
            raise SubmissionError(
                f"{path}: the solution of lab {lab.number} is missing; make it with: efficientlab build"
            )
        raw = json.loads(path.read_text(encoding="utf-8"))
        self.prelude = prelude_of(raw)
        self._cases: dict[tuple[str | int, ...], list[Case]] = {}
        self.workspace = Workspace(lab, self.prelude, parse_notebook(raw, lab, path).cells)

    def fresh_cases(self, exercise: Exercise, seeds: Sequence[int]) -> list[Case]:
        """New cases of an exercise, drawn from `seeds`, with the solution's answers; kept for the next submission."""
        key: tuple[str | int, ...] = (exercise.id, *seeds)
        if key not in self._cases:
            assert exercise.check is not None
            solution = local_student(exercise.check, self.workspace.answer(exercise.id))
            drawn = [inputs for seed in seeds for inputs in exercise.check.inputs(seed)]
            self._cases[key] = [Case(inputs, solution(inputs), {}) for inputs in drawn]
        return self._cases[key]


def prelude_of(notebook: dict) -> list[str]:
    """The sources of the cells tagged `prelude`: the imports that every answer may rely on."""
    return [
        "".join(cell["source"])
        for cell in notebook["cells"]
        if cell["cell_type"] == "code" and "prelude" in cell["metadata"].get("tags", [])
    ]


def score(submission: Submission, reference: Reference, seeds: Sequence[int]) -> list[Mark]:
    """Mark every exercise of a submission; one exercise's fault never touches another's."""
    lab = reference.lab
    with Box(lab, reference.prelude, submission) as box:
        return [_mark(exercise, submission, reference, box, seeds) for exercise in lab.exercises]


def _mark(
    exercise: Exercise, submission: Submission, reference: Reference, box: Box, seeds: Sequence[int]
) -> Mark:
    if exercise.check is None:
        return Mark(exercise, None, "read by a person")
    if not submission.answers(exercise.id):
        return Mark(exercise, 0, f"no cell defines `{exercise.check.name}`")
    recorded = reference.lab.recorded(exercise.id)
    try:
        cases = [*recorded, *reference.fresh_cases(exercise, seeds)]
    except AnswerError as error:  # the solution's own, as where Triton is not installed
        return Mark(exercise, None, f"cannot be checked on this machine: {error}")
    try:
        count = run_check(exercise.check, box.student(exercise.id), cases, diagnose=recorded)
    except NotWritten:
        return Mark(exercise, 0, "not written yet")
    except CheckFailed as failure:
        return Mark(exercise, 0, failure.message)
    return Mark(exercise, exercise.points, f"{count} cases")
