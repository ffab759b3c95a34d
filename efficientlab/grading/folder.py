"""The folder of results: of one lab, with the records of everybody in the class."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from efficientlab.exercises.lab import Lab
from efficientlab.grading.reading.intake import Intake
from efficientlab.grading.record import Record, record_path


class OtherLab(Exception):
    """The folder holds the results of another lab; the message says of which."""


class Busy(Exception):
    """Another run works in the folder; the message names it."""


@contextmanager
def alone_in(grades: Path) -> Iterator[None]:
    """Keep other runs out of the folder: of two that write tables of the class, the later one knows half of it.

    The lock is the process's, so that one which was killed leaves none.
    """
    grades.mkdir(parents=True, exist_ok=True)
    try:
        lock = FileLock(grades / ".lock", timeout=0).acquire()
    except Timeout:
        raise Busy(f"{grades}: another run of grade or review works there; wait for its end.") from None
    with lock:
        yield


def check_lab(grades: Path, lab: Lab) -> None:
    """Refuse a folder that holds another lab's results, before anything in it is touched."""
    held = _lab_of(grades)
    if held not in (None, lab.number):
        raise OtherLab(f"{grades} holds lab {held}, not lab {lab.number}: a folder is for one lab.")


def _lab_of(grades: Path) -> int | None:
    try:
        number = json.loads((grades / "run.json").read_text(encoding="utf-8"))["lab"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return number if isinstance(number, int) else None


def class_ids(grades: Path) -> list[str]:
    """The ids of everybody in the class, whether the record is there or not."""
    records = sorted((grades / "records").glob("*.json"))
    return list(Intake.load(grades).students) or [path.stem for path in records]


def class_records(grades: Path, lab: Lab) -> tuple[list[Record], list[str]]:
    """The records of everybody in the class, of all exports that came to this folder; and a sentence for each that is
    missing or is not as the grader wrote it.
    """
    students = Intake.load(grades).students
    records, problems = [], []
    for identity in class_ids(grades):
        path = record_path(grades, identity)
        name = students[identity].name if identity in students else identity
        try:
            record = Record.load(path)
        except FileNotFoundError:
            problems.append(f"{name} was not graded yet; run efficientlab grade again.")
        except (OSError, ValueError) as error:
            problems.append(f"{path} is left out: {error}; run efficientlab grade again.")
        else:
            if record.lab == lab.number and record.id == identity:
                records.append(record)
            else:
                problems.append(f"{path} is left out: it is of lab {record.lab} and of {record.id}.")
    return records, problems
