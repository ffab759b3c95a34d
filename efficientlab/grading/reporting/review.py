"""Answers that a person reads: a page a question with all answers side by side, and the points back from a CSV.

`GRADES/review/EXERCISE.html` shows the answers under codes, in the codes' order, so that the reader sees no names.
`GRADES/review/points.csv` has a row an answer; whoever fills in its points may use any spreadsheet. A later run keeps
what is filled in and adds rows for answers that came later. The codes hang on a secret in `GRADES/review/key.txt`.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from efficientlab.environment import ROOT
from efficientlab.exercises.contract import Exercise
from efficientlab.exercises.lab import Lab
from efficientlab.files import write_text
from efficientlab.grading.folder import class_ids, class_records
from efficientlab.grading.reading.notebook import SubmissionError
from efficientlab.grading.reading.reader import Reader
from efficientlab.grading.reading.submission import Submission, parse_notebook
from efficientlab.grading.record import Record
from efficientlab.grading.reporting.gradebook import csv_text, plain_text
from efficientlab.grading.reporting.pages import render
from efficientlab.grading.reporting.spreadsheet import TableError, rows_of
from efficientlab.grading.secret import secret

COLUMNS = ("exercise", "answer", "points", "of", "comment")


class ReviewError(Exception):
    """The points file cannot be used; the message names the row and what is wrong with it."""


@dataclass(frozen=True)
class HandMark:
    """What a person gave for one answer; the points are None where there is a comment so far."""

    points: int | None
    comment: str = ""

    @property
    def shown(self) -> int | str:
        """The points as the table has them."""
        return "" if self.points is None else self.points


def write_review(grades: Path, lab: Lab) -> list[Path]:
    """Write the review pages and `points.csv`; return what was written."""
    records, _ = class_records(grades, lab)
    marks = read_points(grades, lab)
    questions = [exercise for exercise in lab.exercises if exercise.check is None]
    schemes = _schemes(lab)
    with Reader(lab) as reader:
        answers = {record.id: _written(grades, record, reader) for record in records}
    written, rows = [], []
    for exercise in questions:
        shown: list[dict[str, Any]] = []
        for record in records:
            mark = marks.get((record.id, exercise.id), HandMark(None))
            state = "" if mark.points is None else f"{mark.points} / {exercise.points}"
            mine = answers[record.id]
            text = _prose(mine.written.get(exercise.id, "")) if mine else ""
            pictures = mine.pictures.get(exercise.id, ()) if mine else ()
            code = _code(grades, record.id, exercise)
            shown.append({"code": code, "text": text, "state": state, "pictures": pictures})
            rows.append((exercise.cell, code, mark.shown, exercise.points, mark.comment))
        for identity, mark in (
            (i, m) for (i, e), m in marks.items() if e == exercise.id and i not in answers
        ):
            code = _code(grades, identity, exercise)  # of a record that is damaged: its points are kept
            rows.append((exercise.cell, code, mark.shown, exercise.points, mark.comment))
        shown.sort(key=lambda answer: answer["code"])
        page = grades / "review" / f"{exercise.id}.html"
        scheme = _prose(schemes.get(exercise.id, ""))
        write_text(page, render("review.html", lab=lab, exercise=exercise, answers=shown, scheme=scheme))
        written.append(page)
    write_text(_points_path(grades), csv_text([COLUMNS, *sorted(rows, key=lambda row: row[:2])]))
    return [*written, _points_path(grades)]


def other_tables(grades: Path) -> list[Path]:
    """What a spreadsheet saved beside `points.csv`, which is not read: `points.xlsx`, `points (1).csv`."""
    return sorted(set(_points_path(grades).parent.glob("points*")) - {_points_path(grades)})


def read_points(grades: Path, lab: Lab) -> dict[tuple[str, str], HandMark]:
    """The marks in `points.csv` by (record id, exercise id); empty where there is no file yet."""
    path = _points_path(grades)
    if not path.exists():
        return {}
    people = {
        (exercise.cell, _code(grades, identity, exercise)): (identity, exercise.id)
        for exercise in lab.exercises
        if exercise.check is None
        for identity in class_ids(grades)
    }
    cells = {exercise.cell for exercise in lab.exercises}
    marks: dict[tuple[str, str], HandMark] = {}
    try:
        rows = rows_of(path, COLUMNS[:3])
    except TableError as error:
        raise ReviewError(f"{path}: {error}") from None
    for line, row in rows:
        text = row.get("points", "").removeprefix("'")  # as some programs mark text
        comment = plain_text(row.get("comment", ""))
        cell, code = row.get("exercise", "").lower(), row.get("answer", "").upper()
        if not text and not (comment and (cell, code) in people):
            continue
        if not cell:  # of cells that were merged, the first alone is saved
            cell = next((known for known, other in people if other == code), cell)
        where = f"{path}, line {line}"
        if (cell, code) not in people:
            if not code and cell not in cells:
                continue  # a line of the reader's own: a sum, a mean
            hint = "codes are those that this folder's review wrote, with the review/key.txt of then"
            raise ReviewError(f"{where}: there is no answer {code!r} to {cell!r}; {hint}.")
        key = people[cell, code]
        if key in marks:
            raise ReviewError(f"{where}: answer {code} to {cell} stands here a second time.")
        marks[key] = HandMark(_points(text, lab[key[1]].points, where) if text else None, comment)
    return marks


def _points(text: str, most: int, where: str) -> int:
    whole = re.fullmatch(r"(\d{1,4})(?:[.,]0*)?", text)  # 6.0, as some programs write a number
    if whole is None or int(whole[1]) > most:
        raise ReviewError(f"{where}: the points are {text!r}; write a whole number from 0 to {most}.")
    return int(whole[1])


def with_points(record: Record, marks: Mapping[tuple[str, str], HandMark]) -> Record:
    """The record with what a person gave in the place of the exercises that wait for points."""
    exercises = []
    for result in record.exercises:
        mark = marks.get((record.id, result.id), HandMark(None))
        if mark.points is not None and result.status == "by hand":
            result = replace(result, earned=mark.points, message=mark.comment or result.message)
        exercises.append(result)
    return replace(record, exercises=tuple(exercises))


def _written(grades: Path, record: Record, reader: Reader) -> Submission | None:
    """A submission with its written answers; None where it cannot be read, which its own page says."""
    try:
        return reader.submission(grades / "submissions" / f"{record.id}.ipynb")
    except SubmissionError:
        return None


def _prose(text: str) -> str:
    """An answer as it is read: lines that a list's indent continues are joined; the stub is no answer."""
    return "" if text.strip("*_ \n") == "Your answer." else re.sub(r"\n {1,3}(?=\S)", " ", text)


def _schemes(lab: Lab) -> Mapping[str, str]:
    """The solution's own answers with their mark schemes."""
    path = ROOT / "solutions" / f"{lab.slug}.ipynb"
    return parse_notebook(json.loads(path.read_text(encoding="utf-8")), lab, path).written


def _code(grades: Path, record_id: str, exercise: Exercise) -> str:
    """The code under which an answer is read: it tells nothing about the student, and is another for each question."""
    key = secret(grades / "review" / "key.txt")
    digest = hmac.new(key, f"{exercise.id} {record_id}".encode(), hashlib.sha256).digest()
    # no digits: 1E5 is a number in a spreadsheet
    return "".join("ABCDEFGHJKLMNPQR"[byte % 16] for byte in digest[:8])


def _points_path(grades: Path) -> Path:
    return grades / "review" / "points.csv"
