"""`efficientlab grade` and `efficientlab review`: an export in, records and reports out, with a line for each step."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from tqdm import tqdm

from efficientlab.exercises.lab import Lab
from efficientlab.grading.batch import grade_batch
from efficientlab.grading.engines import Engine
from efficientlab.grading.folder import Busy, OtherLab, alone_in, check_lab, class_records
from efficientlab.grading.reading.archive import ArchiveError
from efficientlab.grading.reading.intake import take_in
from efficientlab.grading.reading.notebook import SubmissionError
from efficientlab.grading.record import Record
from efficientlab.grading.reporting.reports import Total, write_reports
from efficientlab.grading.reporting.review import ReviewError, other_tables, write_review
from efficientlab.grading.sandbox.contract import SandboxError

SHOWN = 40  # submissions in the terminal; a larger class is read in its overview


def grade(
    source: Path,
    lab: Lab,
    out: Path,
    *,
    student: str | None = None,
    seed: int | None = None,
    sandbox: str = "auto",
    image: str | None = None,
    engine: Engine | None = None,
) -> int:
    """Grade an export and write all reports; 0 if the grader had no trouble, 1 if some records have faults, 2 for a
    mistake in how it was called. With `student` all of `source` is what this one handed in.
    """
    try:
        check_lab(out, lab)
        with alone_in(out):
            intake = take_in(source, out, lab, student)
            intake.save(out)
            print(f"{len(intake.incoming)} students, recognised {intake.rule}.")
            if earlier := len(intake.students) - len(intake.incoming):
                print(f"{earlier} more of earlier exports stay in the class.")
            for note in intake.notes:
                print(f"note: {note}")
            said: set[str] = set()
            arriving = grade_batch(
                intake.incoming, lab, out, seed=seed, sandbox=sandbox, image=image, engine=engine
            )
            for record in _with_progress(arriving, len(intake.incoming)):
                shown = f"sandbox {record.sandbox}, tried with the solution of lab {lab.number}: {record.guarantee}"
                if shown not in said:  # each record is on disk, and read from there: a class may be large
                    said.add(shown)
                    tqdm.write(shown)
            records, problems = class_records(out, lab)
            for problem in problems:
                print(f"note: {problem}")
            if len(records) <= SHOWN:
                print_totals(records)
            written = write_reports(records, out, lab)
    except (
        ArchiveError,
        Busy,
        OtherLab,
        SandboxError,
        SubmissionError,
        ReviewError,
        ValueError,
        OSError,
    ) as error:
        print(f"efficientlab grade: {_said(error, out)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nstopped; what is graded is kept, and the same command goes on from there.", file=sys.stderr)
        return 130
    print("written: " + ", ".join(str(path) for path in written))
    faults = [record for record in records if record.faults]
    for record in faults:
        print(f"{record.student}: {record.faults[0]}", file=sys.stderr)
    return 1 if faults else 0


def review(grades: Path, lab: Lab) -> int:
    """Write the review pages, merge the points that are filled in, and write all reports again."""
    if not (grades / "records").is_dir():
        print(
            f"efficientlab review: {grades} holds no records; run efficientlab grade first.", file=sys.stderr
        )
        return 2
    try:
        check_lab(grades, lab)
        with alone_in(grades):
            records, problems = class_records(grades, lab)
            written = write_review(grades, lab)
            write_reports(records, grades, lab)
    except (ArchiveError, Busy, OtherLab, SandboxError, ReviewError, ValueError, OSError) as error:
        print(f"efficientlab review: {_said(error, grades)}", file=sys.stderr)
        return 2
    for problem in problems:
        print(f"note: {problem}")
    for path in other_tables(grades):
        print(f"note: {path} is not read; save it as {written[-1].name}, as CSV.")
    print("read the answers in: " + ", ".join(str(path) for path in written[:-1]))
    print(f"write the points in: {written[-1]}, then run this again; the reports now hold what is filled in.")
    return 0


def _said(error: Exception, out: Path) -> str:
    """What went wrong, in one sentence; a file system says it in two words, and a full one names no file."""
    if not isinstance(error, OSError):
        return str(error)
    if isinstance(error, FileExistsError | NotADirectoryError):
        return f"{error.filename or out}: there is a file where a folder should be; give another --out."
    return f"{error.filename or out}: {error.strerror or error}."


def print_totals(records: Iterable[Record]) -> None:
    """A line a submission: points, and each exercise's outcome where it is not right."""
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for column, justify in (
        ("submission", "left"),
        ("points", "right"),
        ("bonus", "right"),
        ("not right", "left"),
    ):
        table.add_column(column, justify=justify)  # type: ignore[arg-type]
    ordered = sorted(records, key=lambda r: r.student.casefold())
    names = Counter(record.student for record in ordered)
    for record in ordered:
        total = Total.of(record)
        name = record.student if names[record.student] == 1 else f"{record.student} ({record.id})"
        wrong = [f"{e.id} {e.status}" for e in record.exercises if e.status not in ("passed", "by hand")]
        table.add_row(name, f"{total.points}/{total.possible}", str(total.bonus), ", ".join(wrong))
    Console(width=None if sys.stdout.isatty() else 120, markup=False, highlight=False).print(table)


def _with_progress(records: Iterable[Record], count: int) -> Iterable[Record]:
    """The records, with a bar that shows how many are done and an estimate of the time that is left."""
    with tqdm(total=count, unit="notebook", desc="grading") as bar:
        for record in records:
            bar.update()
            yield record
