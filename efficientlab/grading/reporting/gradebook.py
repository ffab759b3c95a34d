"""Tables for the LMS: the class as CSV, Canvas' import format, and Gradescope's `results.json`."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Sequence

from efficientlab.exercises.lab import Lab
from efficientlab.grading.reading.intake import Intake, Student
from efficientlab.grading.record import ExerciseResult, Record

NOT_CHECKED = "It could not be checked. That is not your fault, and your instructor sees it."
MAX_CELL = 32_000  # characters: a spreadsheet's cell has 32,767, and Python's csv reads none over 131,072
_STARTS = r"(^|[;\t]){}(?=[ \n\u3000]*[=+\-@\t\r＝＋－＠])"  # wide signs are formulas in Japanese settings
_FORMULA, _MADE_SAFE = (re.compile(_STARTS.format(between)) for between in ("", "'"))


def grades_csv(records: Sequence[Record], intake: Intake, lab: Lab) -> str:
    """One row a student: totals, every exercise, and the notes. An empty cell waits for a person."""
    head = ["record", "student", "id", "email", "file", "submitted", "points", "bonus"]
    rows: list[list[object]] = [[*head, *(e.id for e in lab.exercises), "notes"]]
    for record in records:
        who = intake.students.get(record.id, Student(record.student))
        earned = ["" if e.earned is None else e.earned for e in record.exercises]
        about = [record.id, who.name, who.lms_id, who.email, record.file, record.submitted or ""]
        rows.append([*about, record.points, record.bonus, *earned, " ".join(record.notes)])
    return csv_text(rows)


def canvas_csv(records: Sequence[Record], intake: Intake, lab: Lab) -> str:
    """What Canvas' gradebook imports: its five columns and one of points, bonus included; Canvas matches by ID."""
    columns: list[object] = [
        "Student",
        "ID",
        "SIS User ID",
        "SIS Login ID",
        "Section",
        f"Lab {lab.number}: {lab.title}",
    ]
    possible = sum(e.points for e in lab.exercises if not e.bonus)
    rows = [columns, ["    Points Possible", "", "", "", "", possible]]
    for record in records:
        who = intake.students.get(record.id, Student(record.student))
        rows.append([who.name, who.lms_id, "", "", "", record.points + record.bonus])
    return csv_text(rows)


def gradescope_json(record: Record) -> str:
    """Gradescope's `results.json` of one submission. Answers that a person reads are graded in Gradescope itself."""
    by_code = [e for e in record.exercises if e.status != "by hand"]
    result = {
        "score": sum(e.earned or 0 for e in by_code),  # required where a test has none
        "output": "\n".join(record.notes),
        "output_format": "text",
        "tests": [{"number": str(i), **_gradescope_test(e)} for i, e in enumerate(by_code, start=1)],
    }
    return json.dumps(result, indent=1, ensure_ascii=False) + "\n"


def _gradescope_test(e: ExerciseResult) -> dict[str, object]:
    """One exercise. Without points and status, as where it could not be checked, it is neither passed nor failed."""
    shown = {"name": f"{e.id} {e.title}", "output_format": "text", "visibility": "visible"}
    if e.earned is None:
        return {**shown, "output": NOT_CHECKED}
    return {
        **shown,
        "score": e.earned,
        "max_score": 0 if e.bonus else e.points,  # a bonus is on top of the assignment's points
        "status": "passed" if e.earned == e.points else "failed",
        "output": e.message,
    }


def csv_text(rows: Iterable[Sequence[object]]) -> str:
    """A table that any spreadsheet opens: marked as UTF-8, and without a formula however its columns are split."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows([safe_cell(value) for value in row] for row in rows)
    return f"\ufeff{out.getvalue()}"


def safe_cell(value: object) -> object:
    """A value that no spreadsheet takes for a formula: text that starts like one gets an apostrophe in front.

    So does what would start a cell where semicolons or tabs separate them. What no cell holds is cut.
    """
    if not isinstance(value, str):
        return value
    text = _FORMULA.sub(r"\1'", value.replace("\0", ""))
    return text if len(text) <= MAX_CELL else f"{text[:MAX_CELL]}…"


def plain_text(cell: str) -> str:
    """The text that `safe_cell` made safe."""
    return _MADE_SAFE.sub(r"\1", cell)
