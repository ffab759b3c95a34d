"""Score one submission: the recorded cases, then fresh ones that the solution answers.

All comparisons happen here, on the trusted side. A message about a recorded case may show its numbers, which the
student has; one about a fresh case says only that it failed, and repeats nothing that came out of the box.
"""

from __future__ import annotations

import ast
import hashlib
import inspect
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from efficientlab.environment import ROOT
from efficientlab.exercises import contract, goldens
from efficientlab.exercises.contract import (
    AnswerError,
    Case,
    CheckFailed,
    Exercise,
    Lent,
    NotWritten,
    Stopped,
    Values,
    run_check,
)
from efficientlab.exercises.lab import Lab
from efficientlab.exercises.student import local_student
from efficientlab.grading.reading.borrowed import imports
from efficientlab.grading.reading.submission import Submission, SubmissionError, parse_notebook
from efficientlab.grading.record import ExerciseResult, Status
from efficientlab.grading.running.called import calls_of
from efficientlab.grading.running.runner import Box
from efficientlab.grading.running.workspace import Workspace
from efficientlab.grading.sandbox.contract import SandboxError

MAX_LOADED = 2_000  # modules: their names go in one message
SLACK = 16_000_000  # bytes that a reply may have beyond four times what is expected


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
        self.cells = parse_notebook(raw, lab, path).cells
        self.borrows = {name for cell in self.cells for name in imports(cell.source)}
        self.recorded = goldens.load(lab.slug)
        self._cases: dict[tuple[str | int, ...], list[Case]] = {}
        self._calls: dict[str, list[str]] = {}
        self.workspace = Workspace(lab, self.prelude, self.cells)

    def fresh_cases(self, exercise: Exercise, seeds: Sequence[int]) -> list[Case]:
        """New cases of an exercise, drawn from `seeds`, with the solution's answers; kept for the next submission."""
        key: tuple[str | int, ...] = (exercise.id, *seeds)
        if key not in self._cases:
            assert exercise.check is not None
            solution = local_student(exercise.check, self.workspace.answer(exercise.id))
            drawn = [inputs for seed in seeds for inputs in exercise.check.inputs(seed)]
            self._cases[key] = [Case(inputs, solution(inputs), {}) for inputs in drawn]
        return self._cases[key]

    def rehearse(self) -> tuple[str, ...]:
        """Run each answer of the solution once; return the modules that were loaded on the way."""
        before = set(sys.modules)
        for exercise in self.lab.exercises:
            if exercise.check and self.recorded.get(exercise.id):
                self.usual_calls(exercise.id)
        return tuple(name for name in sys.modules if name not in before)[:MAX_LOADED]

    def usual_calls(self, exercise_id: str) -> list[str]:
        """The functions of this package that the solution calls on the first recorded case."""
        if exercise_id not in self._calls:
            check = self.lab[exercise_id].check
            assert check is not None
            solution = local_student(check, self.workspace.answer(exercise_id))
            inputs = self.recorded[exercise_id][0].inputs
            try:
                self._calls[exercise_id] = calls_of(lambda: solution(inputs))[1]
            except AnswerError:
                self._calls[exercise_id] = []
        return self._calls[exercise_id]

    @property
    def version(self) -> str:
        """A hash of what decides about points: the checks, the recorded cases and the solution's code."""
        checks = [e.check for e in self.lab.exercises if e.check]
        parts = {part for check in checks for part in (check.inputs, check.drive, check.judge)}
        modules = {contract, sys.modules[type(self.lab).__module__], *map(inspect.getmodule, parts)}
        sources = sorted(inspect.getsource(module) for module in modules if module)
        sources += [*self.prelude, *(cell.source for cell in self.cells)]
        digest = hashlib.sha256(json.dumps(sources).encode())
        digest.update((goldens.FOLDER / f"{self.lab.slug}.safetensors").read_bytes())
        return digest.hexdigest()[:16]

    @property
    def imports(self) -> tuple[str, ...]:
        """The modules that the solution's answers import, which students' are likely to import as well."""
        names: set[str] = set()
        for cell in (cell for cell in self.cells if cell.exercises):
            for node in ast.walk(ast.parse(cell.source)):
                if isinstance(node, ast.Import):
                    names.update(alias.name for alias in node.names)
                elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
                    names.add(node.module)
        return tuple(sorted(names))


def prelude_of(notebook: dict) -> list[str]:
    """The sources of the cells tagged `prelude`: the imports that every answer may rely on."""
    return [
        "".join(cell["source"])
        for cell in notebook["cells"]
        if cell["cell_type"] == "code" and "prelude" in cell["metadata"].get("tags", [])
    ]


def score(submission: Submission, reference: Reference, seeds: Sequence[int]) -> list[Mark]:
    """Mark a submission in a plain process of this machine: for one's own code."""
    with Box(reference.lab, reference.prelude, submission) as box:
        results = results_of(submission, reference, box, seeds)
    return [Mark(reference.lab[result.id], result.earned, result.message) for result in results]


def results_of(
    submission: Submission, reference: Reference, box: Box, seeds: Sequence[int]
) -> list[ExerciseResult]:
    """The result of every exercise of a submission; one exercise's fault never touches another's."""
    return [_result(exercise, submission, reference, box, seeds) for exercise in reference.lab.exercises]


def _result(
    exercise: Exercise, submission: Submission, reference: Reference, box: Box, seeds: Sequence[int]
) -> ExerciseResult:
    """The result of one exercise. Where what the answer uses may be changed by other cells, both ways may be right."""
    first = _attempt(exercise, submission, reference, box, seeds, wide=False)
    needs = submission.needs.get(exercise.id)
    if first.status not in ("failed", "error") or needs is None or not needs.wide:
        return first
    again = _attempt(exercise, submission, reference, box, seeds, wide=True)
    seconds = round(first.seconds + again.seconds, 3)
    if again.status in ("timeout", "crash", "not checked"):
        return replace(first, seconds=seconds)
    more = ", ".join(str(submission.cells[i].number) for i in needs.wide if i not in needs.cells)
    also = f"; run with {f'cells {more}' if more else 'all lines'} that may change what it uses"
    return replace(again, seconds=seconds, message=again.message.rstrip(".") + also)


def _attempt(
    exercise: Exercise,
    submission: Submission,
    reference: Reference,
    box: Box,
    seeds: Sequence[int],
    wide: bool,
) -> ExerciseResult:
    start = time.monotonic()
    passed = 0

    def result(
        earned: int | None, status: Status, message: str, slip: str | None = None, *notes: str
    ) -> ExerciseResult:
        seconds = round(time.monotonic() - start, 3)
        about = (exercise.id, exercise.title, exercise.points, exercise.bonus)
        if status in ("failed", "error", "crash", "timeout") and "(cell " not in message:
            message = f"{message.rstrip('.')} (cell {submission.answers(exercise.id)[-1].number})"
        return ExerciseResult(*about, earned, status, message, slip, passed, seconds, notes)

    check = exercise.check
    if check is None:
        return result(None, "by hand", "read by a person")
    if not submission.answers(exercise.id):
        hint = submission.misplaced.get(exercise.id)
        return result(0, "missing", hint or f"no cell defines `{check.name}`")
    if exercise.id in submission.untouched:
        return result(0, "unwritten", "not written yet")
    recorded = reference.recorded.get(exercise.id, [])
    try:
        fresh = reference.fresh_cases(exercise, seeds)
    except AnswerError as error:  # the solution's own, as where Triton is not installed
        return result(None, "not checked", f"cannot be checked on this machine: {error}")
    limit = SLACK + 4 * max(_bytes(case.expected) for case in [*recorded, *fresh])
    student = box.student(exercise.id, limit, wide)
    try:
        passed = run_check(check, student, recorded)
        try:
            passed += run_check(check, student, fresh)
        except (NotWritten, Lent):
            raise
        except CheckFailed as failure:
            return result(0, _status(failure), _about_fresh(failure, check.name))
    except NotWritten:
        return result(0, "unwritten", "not written yet")
    except Lent:
        return result(0, "borrowed", "borrowed with `lab.borrow`, for no points")
    except CheckFailed as failure:
        return result(0, _status(failure), failure.message, failure.slip)
    except SandboxError as error:
        return result(None, "not checked", "the grader could not run this exercise", None, str(error))
    except Exception as error:  # a judge met values that nobody thought of
        box.close()
        text = f"the answer cannot be compared: {type(error).__name__}"
        return result(0, "failed", text, None, f"{type(error).__name__}: {error}"[:500])
    return result(exercise.points, "passed", f"{passed} cases")


def _status(failure: CheckFailed) -> Status:
    cause = failure.cause
    if cause is None or cause.kind == "Returned" or failure.slip:
        return "failed"
    statuses: dict[str, Status] = {"Timeout": "timeout", "Crash": "crash"}
    return statuses.get(cause.kind, "error")


def _about_fresh(failure: CheckFailed, name: str) -> str:
    """What a student reads about a case that nobody may know: one of a few sentences, which carry nothing out of it."""
    public = "passes the recorded cases, but not fresh ones of the same kind"
    cause = failure.cause.kind if failure.cause else "Returned"
    if cause == "BadReply":
        return f"`{name}` {public}: there its answer cannot be read, or is far too large"
    if isinstance(failure, Stopped):
        return f"`{name}` {public}: there it does not come to an end by itself"
    if cause != "Returned":
        return f"`{name}` {public}: there it raises an exception"
    return f"`{name}` {public}: does it depend on certain shapes, values or options?"


def _bytes(values: Values) -> int:
    return sum(v.numel() * v.element_size() for v in values.values() if isinstance(v, torch.Tensor))
