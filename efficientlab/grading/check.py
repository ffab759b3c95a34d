"""Check notebooks and print their points, exercise by exercise."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Collection, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from efficientlab.exercises.lab import Lab
from efficientlab.grading.reading.outline import handed_out
from efficientlab.grading.reading.submission import Submission, SubmissionError, read_submission
from efficientlab.grading.score import Mark, Reference, score


def check_notebooks(
    paths: Sequence[Path], lab: Lab, seed: int | None = None, wanted: Collection[str] = ()
) -> int:
    """Check each notebook and print a table for it; 0 if every one could be read and solves what is `wanted`, else 1.

    `wanted` are ids of exercises that must get all their points.
    """
    seed = secrets.randbelow(2**31 - 2) + 1 if seed is None else seed
    status = 0
    try:
        reference = Reference(lab)
    except SubmissionError as error:
        print(error, file=sys.stderr)
        return 1
    for path in paths:
        try:
            submission = read_submission(path, lab, handed_out(lab.slug))
        except SubmissionError as error:
            print(error, file=sys.stderr)
            status = 1
            continue
        marks = score(submission, reference, [seed])
        print_marks(submission, marks, lab)
        if any(m.points != m.exercise.points for m in marks if m.exercise.id in wanted):
            status = 1
    print(f"fresh cases were drawn from seed {seed}")
    return status


def total(marks: Sequence[Mark]) -> tuple[int, int]:
    """(points of the lab's 100 that code checks, bonus points)."""
    points = sum(mark.points or 0 for mark in marks if not mark.exercise.bonus)
    return points, sum(mark.points or 0 for mark in marks if mark.exercise.bonus)


def print_marks(submission: Submission, marks: Sequence[Mark], lab: Lab) -> None:
    """A table of one submission's points and messages."""
    table = Table(title=f"{submission.path.name} · lab {lab.number}, {lab.title}", title_justify="left")
    for column, justify in (("exercise", "left"), ("points", "right"), ("what the check said", "left")):
        table.add_column(column, justify=justify)  # type: ignore[arg-type]
    for mark in marks:
        exercise = mark.exercise
        cell = (
            "·" if mark.points is None else f"{mark.points}/{'+' if exercise.bonus else ''}{exercise.points}"
        )
        table.add_row(f"{exercise.id} {exercise.title}", cell, mark.message)
    console = Console(width=None if sys.stdout.isatty() else 120, markup=False)
    console.print(table)
    for note in submission.notes:
        console.print(f"note: {note}")
    points, bonus = total(marks)
    of = sum(e.points for e in lab.exercises if e.check and not e.bonus)
    by_hand = sum(e.points for e in lab.exercises if not e.check)
    console.print(
        f"{submission.path.name}: {points} of {of} points checked by code, {bonus} bonus points; "
        f"{by_hand} points are read by a person.\n"
    )
