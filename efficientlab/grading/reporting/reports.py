"""What comes out of a batch: a page a student, the class overview, tables for the LMS."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from efficientlab.exercises.lab import Lab
from efficientlab.files import write_text
from efficientlab.grading.reading.intake import Intake
from efficientlab.grading.record import ExerciseResult, Record, Status
from efficientlab.grading.reporting.gradebook import NOT_CHECKED, canvas_csv, grades_csv, gradescope_json
from efficientlab.grading.reporting.pages import render
from efficientlab.grading.reporting.review import read_points, with_points

SENTENCES: dict[Status, str] = {
    "passed": "Right.",
    "unwritten": "Not written yet: the stub is still there.",
    "borrowed": "Borrowed with `lab.borrow`: no points, and the rest of the lab stands.",
    "by hand": "A person reads this answer.",
    "not checked": NOT_CHECKED,
}


@dataclass(frozen=True)
class Total:
    """The points of one submission: earned, of how many, bonus, and those that still wait for a person."""

    points: int
    possible: int
    bonus: int
    waiting: int

    @classmethod
    def of(cls, record: Record) -> Total:
        """Counted from a record; points that could not be checked wait for a person, too."""
        counted = [e for e in record.exercises if not e.bonus]
        waiting = sum(e.points for e in counted if e.earned is None)
        return cls(record.points, sum(e.points for e in counted), record.bonus, waiting)


def write_reports(records: Sequence[Record], grades: Path, lab: Lab) -> list[Path]:
    """Write every report of a batch to `grades`, points read by a person merged in; return what was written."""
    intake = Intake.load(grades)
    by_hand = read_points(grades, lab)
    records = sorted((with_points(r, by_hand) for r in records), key=lambda r: (r.student.casefold(), r.id))
    for record in records:
        values = student_values(record, lab)
        write_text(grades / "pages" / f"{record.id}.html", render("student.html", **values))
        write_text(grades / "pages" / f"{record.id}.md", render("student.md", **values))
        write_text(grades / "gradescope" / record.id / "results.json", gradescope_json(record))
    whole = {
        "index.html": render("class.html", **class_values(records, intake, lab)),
        "grades.csv": grades_csv(records, intake, lab),
        "canvas.csv": canvas_csv(records, intake, lab),
    }
    for name, text in whole.items():
        write_text(grades / name, text)
    return [grades / name for name in (*whole, "pages", "gradescope")]


def student_values(record: Record, lab: Lab) -> dict[str, Any]:
    """What a student's page says. Nothing of a fresh case is in it: neither its values nor its seed."""
    rows = []
    for result in record.exercises:
        check = lab[result.id].check
        rows.append(
            {
                "result": result,
                "kind": _kind(result.status),
                "shown": _points(result),
                "sentence": _sentence(result),
                "check": f'lab.check("{result.id}", {check.name})' if check and _can_repeat(result) else "",
            }
        )
    submitted = (record.submitted or "").replace("T", " ")[:16]
    confined = record.sandbox != "none"
    total = Total.of(record)
    return {
        "record": record, "lab": lab, "rows": rows, "total": total, "submitted": submitted, "confined": confined,
    }  # fmt: skip


def _sentence(result: ExerciseResult) -> str:
    if result.status == "by hand" and result.earned is not None:
        return result.message if result.message != "read by a person" else "Read by a person."
    known = SENTENCES.get(result.status)
    if known:
        _, _, more = result.message.partition("; ") if result.status == "passed" else ("", "", "")
        return f"{known} It was {more}." if more else known
    message = result.message[:1].upper() + result.message[1:] if result.message[:1] != "`" else result.message
    return message if message.endswith((".", "?", "!")) else f"{message}."


def _points(result: ExerciseResult) -> str:
    """5 of 8 points are `5 / 8`; a bonus says so; what a person has not read yet waits."""
    of = f"{result.points} bonus" if result.bonus else str(result.points)
    return f"waits, of {of}" if result.earned is None else f"{result.earned} / {of}"


def _can_repeat(result: ExerciseResult) -> bool:
    return result.status in ("failed", "error", "crash", "timeout", "unwritten", "missing")


def class_values(records: Sequence[Record], intake: Intake, lab: Lab) -> dict[str, Any]:
    """What the instructor's overview says."""
    totals = [Total.of(record) for record in records]
    points = [total.points for total in totals] or [0]
    possible = sum(e.points for e in lab.exercises if not e.bonus)
    cpu = sum(record.cpu_seconds for record in records)
    return {
        "lab": lab,
        "records": records,
        "possible": possible,
        "summary": {
            "median": f"{statistics.median(points):g}",
            "mean": f"{statistics.mean(points):.1f}",
            "least": min(points),
            "most": max(points),
            "seconds": f"{sum(record.seconds for record in records):.0f}",
            "cpu": f"{cpu:.0f}",
            "each": f"{cpu / max(1, len(records)):.2f}",
        },
        "warnings": _warnings(records, totals),
        "bins": _bins(points, possible),
        "statuses": get_args(Status),
        "exercises": [_exercise_row(e.id, records) for e in lab.exercises] if records else [],
        "slips": _slips(records),
        "faults": _faults(records),
        "students": [{"record": r, "total": t} for r, t in zip(records, totals, strict=True)],
        "rule": intake.rule,
        "left_out": intake.notes,
        "seeds": ", ".join(sorted({str(record.seed) for record in records})),
        "versions": ", ".join(sorted({record.lab_version for record in records})),
        "guarantees": " ".join(sorted({record.guarantee for record in records})),
    }


def _warnings(records: Sequence[Record], totals: Sequence[Total]) -> list[str]:
    out = []
    if open_ones := sum(record.sandbox == "none" for record in records):
        out.append(f"{_count(open_ones)} ran without a sandbox: such code could have done anything.")
    if waiting := sum(total.waiting > 0 for total in totals):
        out.append(f"In {_count(waiting)} some points wait for a person; see: efficientlab review.")
    if faults := sum(bool(record.faults) for record in records):
        out.append(f"The grader had trouble with {_count(faults)}; run the same command again.")
    return out


def _bins(points: Sequence[int], possible: int, count: int = 10) -> list[dict[str, Any]]:
    """A histogram of the totals, in `count` bins over 0 … possible; the last one includes its end."""
    width = max(1, possible) / count
    counts = Counter(min(count - 1, int(p / width)) for p in points)
    most = max(counts.values())
    return [
        {
            "count": counts[i],
            "height": f"{7 * counts[i] / most:.2f}",
            "label": f"{i * width:.0f}–{(i + 1) * width:.0f}",
        }
        for i in range(count)
    ]


def _exercise_row(exercise_id: str, records: Sequence[Record]) -> dict[str, Any]:
    results = [record[exercise_id] for record in records]
    counts = Counter(result.status for result in results)
    earned = [result.earned for result in results if result.earned is not None]
    ordered = [(status, counts[status]) for status in get_args(Status) if counts[status]]
    return {
        "id": exercise_id,
        "title": results[0].title,
        "points": f"{'+' if results[0].bonus else ''}{results[0].points}",
        "mean": f"{statistics.mean(earned):.1f}" if earned else "·",
        "seconds": f"{statistics.median(result.seconds for result in results):.2f}",
        "parts": [{"kind": _kind(s), "percent": f"{100 * n / len(results):.2f}"} for s, n in ordered],
        "tooltip": ", ".join(f"{n} {s}" for s, n in ordered),
    }


def _slips(records: Sequence[Record], most: int = 15) -> list[dict[str, Any]]:
    counts = Counter((e.id, e.slip) for record in records for e in record.exercises if e.slip)
    return [
        {"count": count, "exercise": exercise, "sentence": sentence}
        for (exercise, sentence), count in counts.most_common(most)
    ]


def _faults(records: Sequence[Record]) -> list[dict[str, str]]:
    """The grader's troubles, and what it noted about single exercises for the instructor."""
    out = []
    for record in records:
        texts = [*record.faults, *(f"{e.id}: {note}" for e in record.exercises for note in e.notes)]
        out += [{"id": record.id, "student": record.student, "text": text} for text in dict.fromkeys(texts)]
    return out


def _count(number: int) -> str:
    return f"{number} submission{'' if number == 1 else 's'}"


def _kind(status: str) -> str:
    return status.replace(" ", "-")
