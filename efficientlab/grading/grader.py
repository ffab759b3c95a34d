"""One supervisor: it holds a lab's solution and a sandbox, and turns one submission after another into a record."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

import torch

from efficientlab.exercises.contract import AnswerError
from efficientlab.exercises.lab import Lab
from efficientlab.exercises.labs import find_lab
from efficientlab.grading.reading.borrowed import borrowed
from efficientlab.grading.reading.reader import Reader
from efficientlab.grading.reading.submission import Submission, SubmissionError
from efficientlab.grading.record import ExerciseResult, Incoming, Record
from efficientlab.grading.running.called import beyond, beyond_in_fresh
from efficientlab.grading.running.runner import Box
from efficientlab.grading.sandbox import open_sandbox
from efficientlab.grading.sandbox.contract import Sandbox, SandboxError, Setup
from efficientlab.grading.sandbox.limits import Limits
from efficientlab.grading.score import Reference, results_of


@dataclass(frozen=True)
class Plan:
    """How a batch is graded; the same for each of its submissions, wherever it runs."""

    lab: int
    lab_version: str
    seed: int
    sandbox: str = "auto"
    image: str | None = None
    limits: Limits = field(default_factory=Limits)


class Grader:
    """Grades submissions one at a time. `SandboxError` where the sandbox of the plan does not work here."""

    def __init__(self, plan: Plan) -> None:
        torch.set_num_threads(1)  # one supervisor a core
        self.plan = plan
        self.lab = find_lab(plan.lab)
        self.reference = Reference(self.lab)
        imports, loaded = self.reference.imports, self.reference.rehearse()
        setup = Setup(plan.lab, tuple(self.reference.prelude), imports, plan.limits, loaded)
        self.sandbox = open_sandbox(plan.sandbox, setup, plan.image, self._prove)
        self.reader = Reader(self.lab)

    def __enter__(self) -> Grader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the sandbox, and the process that reads."""
        self.reader.close()
        self.sandbox.close()

    def _prove(self, sandbox: Sandbox) -> None:
        """Run the solution's first answer in a box: what this lab imports must work there before anybody is graded."""
        exercise = next(e for e in self.lab.exercises if e.check)
        solution = Submission(Path("solution"), tuple(self.reference.cells))
        with Box(self.lab, self.reference.prelude, solution, self.plan.limits, sandbox) as box:
            try:
                box.student(exercise.id)(self.reference.recorded[exercise.id][0].inputs)
            except AnswerError as error:
                raise SandboxError(
                    f"the solution of {exercise.id} does not run in the {sandbox.name} sandbox: {error}"
                ) from None

    def grade(self, incoming: Incoming) -> Record:
        """The record of one submission, also of one that cannot be read."""
        start, cpu = time.monotonic(), time.process_time()
        box_cpu, notes = 0.0, incoming.notes
        try:
            if incoming.refused:
                raise SubmissionError(incoming.refused)
            submission = self.reader.submission(incoming.path)
        except (SubmissionError, OSError) as error:
            sentence = str(error).removeprefix(f"{incoming.path}: ")
            results, notes = nothing_checked(self.lab, "missing", sentence), (*notes, sentence)
        else:
            with Box(self.lab, self.reference.prelude, submission, self.plan.limits, self.sandbox) as box:
                results = results_of(submission, self.reference, box, [self.plan.seed])
            box_cpu = box.cpu_seconds
            notes = (*notes, *submission.notes, *borrowed(submission.imported, self.reference.borrows))
            notes = (*notes, *self._on_calls(box))
        faults = [note for result in results if result.status == "not checked" for note in result.notes]
        return Record(
            **_about(incoming, self.plan),
            sandbox=self.sandbox.name,
            guarantee=self.sandbox.guarantee,
            exercises=tuple(results),
            notes=notes,
            faults=tuple(dict.fromkeys(faults)),
            seconds=round(time.monotonic() - start, 3),
            cpu_seconds=round(time.process_time() - cpu + box_cpu, 3),
        )

    def _on_calls(self, box: Box) -> list[str]:
        """What a person should look at, of what answers called."""
        notes = []
        for (exercise_id, look), called in box.called.items():
            usual = self.reference.usual_calls(exercise_id)
            if look == "recorded":
                notes += beyond(called, usual, exercise_id)
                continue
            before = box.called.get((exercise_id, "recorded"), ())
            fresh = self.reference.fresh_calls(self.lab[exercise_id], [self.plan.seed])
            notes += beyond_in_fresh(called, before, [*usual, *fresh], exercise_id)
        return notes


def broken_record(incoming: Incoming, plan: Plan, fault: str) -> Record:
    """The record of a submission that the grader itself could not get through; the next run tries it again."""
    return Record(
        **_about(incoming, plan),
        sandbox=plan.sandbox,
        guarantee="Nothing of this submission was run to its end.",
        exercises=tuple(nothing_checked(find_lab(plan.lab), "not checked", "the grader could not check it")),
        notes=incoming.notes,
        faults=(fault,),
    )


def nothing_checked(lab: Lab, status: str, message: str) -> Sequence[ExerciseResult]:
    """The results of a submission of which nothing was run."""
    points = 0 if status == "missing" else None
    return [
        ExerciseResult(e.id, e.title, e.points, e.bonus, points, status, message)  # type: ignore[arg-type]
        if e.check
        else ExerciseResult(e.id, e.title, e.points, e.bonus, None, "by hand", "read by a person")
        for e in lab.exercises
    ]


def _about(incoming: Incoming, plan: Plan) -> dict:
    return {
        "id": incoming.id,
        "student": incoming.student,
        "file": incoming.path.name,
        "sha256": incoming.sha256,
        "submitted": incoming.submitted,
        "lab": plan.lab,
        "lab_version": plan.lab_version,
        "seed": plan.seed,
    }
