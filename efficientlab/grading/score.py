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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from efficientlab.environment import ROOT
from efficientlab.exercises import contract, goldens
from efficientlab.exercises.cases import processor_limit
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
from efficientlab.grading.reading.archive import printable
from efficientlab.grading.reading.borrowed import imports
from efficientlab.grading.reading.needs import Needs
from efficientlab.grading.reading.statements import Reach
from efficientlab.grading.reading.submission import Submission, SubmissionError, parse_notebook
from efficientlab.grading.record import ExerciseResult, Status
from efficientlab.grading.running.called import calls_of
from efficientlab.grading.running.runner import TOGETHER_SECONDS, Box, Look
from efficientlab.grading.running.workspace import Workspace
from efficientlab.grading.sandbox.contract import SandboxError

MAX_LOADED = 2_000  # modules: their names go in one message
SLACK = 2_000_000  # bytes that a reply may have beyond four times what is expected
MAX_MESSAGE = 1_000  # characters
_FURTHER: tuple[Reach, ...] = ("wide", "above")
JUDGE_SECONDS = 20  # of the processor, to compare an answer: what is compared comes out of a box


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
        self._seconds: dict[tuple[str | int, ...], float] = {}  # of the processor, for a fresh case
        self._limits: dict[tuple[str | int, ...], int] = {}
        self._calls: dict[tuple[str | int, ...], list[str]] = {}
        self.workspace = Workspace(lab, self.prelude, self.cells)

    def fresh_cases(self, exercise: Exercise, seeds: Sequence[int]) -> list[Case]:
        """New cases of an exercise, drawn from `seeds`, with the solution's answers; kept for the next submission."""
        key: tuple[str | int, ...] = (exercise.id, *seeds)
        if key not in self._cases:
            assert exercise.check is not None
            solution = local_student(exercise.check, self.workspace.answer(exercise.id))
            drawn = [inputs for seed in seeds for inputs in exercise.check.inputs(seed)]
            start = time.process_time()
            self._cases[key] = [Case(inputs, solution(inputs), {}) for inputs in drawn]
            self._seconds[key] = (time.process_time() - start) / len(drawn)
        return self._cases[key]

    def is_quick(self, exercise: Exercise, seeds: Sequence[int]) -> bool:
        """Whether an answer ten times as slow as the solution ends in a box that all exercises share.

        It is known once the fresh cases are.
        """
        return 10 * self._seconds[exercise.id, *seeds] < TOGETHER_SECONDS

    def reply_limit(self, exercise: Exercise, seeds: Sequence[int]) -> int:
        """The bytes that an answer to one case may have."""
        key: tuple[str | int, ...] = (exercise.id, *seeds)
        if key not in self._limits:
            every = [*self.recorded.get(exercise.id, []), *self.fresh_cases(exercise, seeds)]
            self._limits[key] = SLACK + 4 * max(_bytes(case.expected) for case in every)
        return self._limits[key]

    def looks(self, exercise: Exercise, seeds: Sequence[int]) -> Mapping[Look, Values]:
        """The cases on which it is looked at what an answer calls: the first recorded one, and a fresh one.

        Which fresh one depends on the seed, so that no answer knows.
        """
        recorded, fresh = self.recorded.get(exercise.id, []), self.fresh_cases(exercise, seeds)
        looks: dict[Look, Values] = {"fresh": fresh[sum(seeds) % len(fresh)].inputs}
        return {"recorded": recorded[0].inputs, **looks} if recorded else looks

    def fresh_calls(self, exercise: Exercise, seeds: Sequence[int]) -> list[str]:
        """The functions of this package that the solution calls on the fresh case that is looked at."""
        return self._calls_on((exercise.id, *seeds), exercise.id, self.looks(exercise, seeds)["fresh"])

    def rehearse(self) -> tuple[str, ...]:
        """Run each answer of the solution once; return the modules that were loaded on the way."""
        before = set(sys.modules)
        for exercise in self.lab.exercises:
            if exercise.check and self.recorded.get(exercise.id):
                self.usual_calls(exercise.id)
        return tuple(name for name in sys.modules if name not in before)[:MAX_LOADED]

    def usual_calls(self, exercise_id: str) -> list[str]:
        """The functions of this package that the solution calls on the first recorded case."""
        return self._calls_on((exercise_id,), exercise_id, self.recorded[exercise_id][0].inputs)

    def _calls_on(self, key: tuple[str | int, ...], exercise_id: str, inputs: Values) -> list[str]:
        if key not in self._calls:
            check = self.lab[exercise_id].check
            assert check is not None
            solution = local_student(check, self.workspace.answer(exercise_id))
            try:
                self._calls[key] = calls_of(lambda: solution(inputs))[1]
            except AnswerError:
                self._calls[key] = []
        return self._calls[key]

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
    marker = _Marker(submission, reference, box, seeds)
    exercises = reference.lab.exercises
    if box.sees_all:  # what it saw of a fresh case must come after the last text that it may show
        known = [marker.on_recorded(exercise) for exercise in exercises]
        first = [marker.on_fresh(e, result) for e, result in zip(exercises, known, strict=True)]
    else:
        right = marker.right_together() if box.can_be_shared else {}
        first = [right.get(e.id) or marker.on_fresh(e, marker.on_recorded(e)) for e in exercises]
    return [marker.once_more(e, result) for e, result in zip(exercises, first, strict=True)]


@dataclass(frozen=True)
class _Marker:
    """Marks one submission, in two steps an exercise: on the recorded cases, then on fresh ones."""

    submission: Submission
    reference: Reference
    box: Box
    seeds: Sequence[int]

    def right_together(self) -> dict[str, ExerciseResult]:
        """The answers that are right, on recorded and fresh cases, where one box serves them all.

        Nine boxes of ten are spared where everything is right. Of an answer that is wrong there, or calls what the
        lab's own does not, nothing counts: it is run in a box of its own, which has seen no fresh case.
        """
        right = {}
        with self.box.for_all():
            for exercise in self._written():
                start = time.monotonic()
                try:
                    fresh = self.reference.fresh_cases(exercise, self.seeds)
                except AnswerError:  # the solution's own
                    continue
                if not self.reference.is_quick(exercise, self.seeds):
                    continue
                known = self.reference.recorded.get(exercise.id, [])
                # without slips: what is wrong is named by its own box
                cases = [replace(case, slips={}) for case in (*known, *fresh)]
                result = self._run(exercise, cases, "needs", fresh=True)
                if result.status == "passed" and self._calls_as_usual(exercise):
                    seconds = round(time.monotonic() - start, 3)
                    right[exercise.id] = replace(result, seconds=seconds)
                else:
                    self.box.forget_calls(exercise.id)
        return right

    def _written(self) -> list[Exercise]:
        """The exercises to which there is an answer that code checks; none where it is the only one."""
        written = [
            e
            for e in self.reference.lab.exercises
            if e.check and self.submission.answers(e.id) and e.id not in self.submission.untouched
        ]
        return written if len(written) > 1 else []

    def _calls_as_usual(self, exercise: Exercise) -> bool:
        usual = {*self.reference.fresh_calls(exercise, self.seeds)}
        if exercise.id in self.reference.recorded:
            usual.update(self.reference.usual_calls(exercise.id))
        return all(names <= usual for (e, _), names in self.box.called.items() if e == exercise.id)

    def on_recorded(self, exercise: Exercise, reach: Reach = "needs") -> ExerciseResult:
        """What the recorded cases say; `passed` where nothing is wrong so far."""
        start = time.monotonic()
        check = exercise.check
        if check is None:
            return _about(exercise, None, "by hand", "read by a person")
        if not self.submission.answers(exercise.id):
            hint = self.submission.misplaced.get(exercise.id)
            return _about(exercise, 0, "missing", hint or f"no cell defines `{check.name}`")
        if exercise.id in self.submission.untouched:
            return _about(exercise, 0, "unwritten", "not written yet")
        try:
            self.reference.fresh_cases(exercise, self.seeds)
        except AnswerError as error:  # the solution's own, as where Triton is not installed
            return _about(exercise, None, "not checked", f"cannot be checked on this machine: {error}")
        result = self._run(exercise, self.reference.recorded.get(exercise.id, []), reach, fresh=False)
        return replace(result, seconds=round(time.monotonic() - start, 3))

    def on_fresh(self, exercise: Exercise, known: ExerciseResult, reach: Reach = "needs") -> ExerciseResult:
        """What the fresh cases say of an answer that is right on the recorded ones."""
        if known.status != "passed":
            return known
        start = time.monotonic()
        result = self._run(exercise, self.reference.fresh_cases(exercise, self.seeds), reach, fresh=True)
        seconds = round(known.seconds + time.monotonic() - start, 3)
        cases = known.cases + result.cases
        message = f"{cases} cases" if result.status == "passed" else result.message
        return replace(result, seconds=seconds, cases=cases, message=message)

    def once_more(self, exercise: Exercise, first: ExerciseResult) -> ExerciseResult:
        """The result where other cells may change what the answer uses: with them, it may be right as well.

        First with those that name it, then with the others above; the last run that comes to an end counts.
        """
        needs = self.submission.needs.get(exercise.id)
        result = first
        for reach in _FURTHER:
            wrong = ("failed", "error") if reach == "wide" else ("failed", "error", "timeout")
            if needs is None or not needs.of(reach) or result.status not in wrong:
                continue
            again = self.on_fresh(exercise, self.on_recorded(exercise, reach), reach)
            seconds = round(result.seconds + again.seconds, 3)
            ended = again.status not in ("timeout", "crash", "not checked")
            also = ""
            if ended and (again.status, again.message) != (result.status, result.message):
                also = self._about_reach(needs, reach)
            elif not ended and reach == "above":
                also = "; with the cells above it, which may change what it uses, it does not come to an end"
            result = replace(again if ended else result, seconds=seconds)
            if also:
                result = replace(result, message=result.message.rstrip(".") + also)
        return result

    def _about_reach(self, needs: Needs, reach: Reach) -> str:
        if reach == "above":
            return "; run with the cells above it, which may change what it uses"
        more = ", ".join(str(self.submission.cells[i].number) for i in needs.wide if i not in needs.cells)
        return f"; run with {f'cells {more}' if more else 'all lines'} that may change what it uses"

    def _run(self, exercise: Exercise, cases: Sequence[Case], reach: Reach, fresh: bool) -> ExerciseResult:
        """Run the answer on `cases`; of fresh ones nothing is said but that they fail."""

        def result(
            earned: int | None, status: Status, message: str, slip: str | None = None, *notes: str
        ) -> ExerciseResult:
            if len(message) > MAX_MESSAGE:
                message = f"{message[:MAX_MESSAGE]}…"
            if status in ("failed", "error", "crash", "timeout") and "(cell " not in message:
                number = self.submission.answers(exercise.id)[-1].number
                message = f"{message.rstrip('.')} (cell {number})"
            return replace(_about(exercise, earned, status, message), slip=slip, notes=notes)

        check = exercise.check
        assert check is not None
        limit = self.reference.reply_limit(exercise, self.seeds)
        looks = self.reference.looks(exercise, self.seeds)
        student = self.box.student(exercise.id, limit, reach, looks)
        try:
            with processor_limit(JUDGE_SECONDS, TimeoutError("it takes far too long")):
                passed = run_check(check, student, cases)
        except CheckFailed as failure:
            if fresh:  # what may stand here must not depend on what it raises
                return result(0, _status(failure), _about_fresh(failure, check.name))
            if isinstance(failure, NotWritten):
                return result(0, "unwritten", "not written yet")
            if isinstance(failure, Lent):
                return result(0, "borrowed", "borrowed with `lab.borrow`, for no points")
            return result(0, _status(failure), failure.message, failure.slip)
        except SandboxError as error:
            return result(None, "not checked", "the grader could not run this exercise", None, str(error))
        except Exception as error:  # a judge met values that nobody thought of
            self.box.close()
            text = f"the answer cannot be compared: {type(error).__name__}"
            text = _about_fresh(CheckFailed(text), check.name) if fresh else text
            return result(
                0, "failed", text, None, printable(f"{type(error).__name__}: {error}"[:500], "\n\t")
            )
        return replace(result(exercise.points, "passed", f"{passed} cases"), cases=passed)


def _about(exercise: Exercise, earned: int | None, status: Status, message: str) -> ExerciseResult:
    shown = printable(message, "\n\t")  # a text of the student's may be in it
    return ExerciseResult(exercise.id, exercise.title, exercise.points, exercise.bonus, earned, status, shown)


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
