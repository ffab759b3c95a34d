"""From what an LMS exports to one notebook a student: `take_in`.

Students are recognised by the export's own names (see `owners`), keep their record from export to export (`roster`),
and have one notebook that counts (`choice`). Everybody who handed in anything is in the class. The rule and every
decision are kept in `GRADES/intake.json` and shown in the reports.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath

from efficientlab.exercises.lab import Lab
from efficientlab.files import write_text
from efficientlab.grading.reading import gradescope
from efficientlab.grading.reading.archive import ArchiveError, Found, open_export, printable
from efficientlab.grading.reading.choice import keep_one
from efficientlab.grading.reading.lms import GRADESCOPE, METADATA, Claim, Who
from efficientlab.grading.reading.owners import RULES, all_of, choose_rule
from efficientlab.grading.reading.reader import Reader
from efficientlab.grading.reading.roster import Student, assign_ids
from efficientlab.grading.record import Incoming

__all__ = ["Intake", "Student", "take_in"]

MAX_NOTES = 200
_WRITTEN = (
    *("intake.json", "run.json", "key.txt", ".lock", "index.html", "grades.csv", "canvas.csv"),
    *("records", "pages", "submissions", "gradescope", "review"),
)


@dataclass(frozen=True)
class Intake:
    """A batch: what is to be graded, who is in the class (by record id), the matching rule, and what was left out.

    `students` are those of all exports that came to this folder; `incoming` are those of the last one.
    """

    incoming: tuple[Incoming, ...]
    students: dict[str, Student]
    rule: str
    notes: tuple[str, ...]

    def save(self, grades: Path) -> None:
        """Write `grades/intake.json`, which the reports read."""
        students = {key: asdict(student) for key, student in self.students.items()}
        raw = {"rule": self.rule, "notes": self.notes, "students": students}
        write_text(grades / "intake.json", json.dumps(raw, indent=1, ensure_ascii=False) + "\n")

    @classmethod
    def load(cls, grades: Path) -> Intake:
        """Read `grades/intake.json` back, without the notebooks; an empty intake where there is none."""
        path = grades / "intake.json"
        if not path.exists():
            return cls((), {}, "", ())
        try:
            raw = json.loads(path.read_text(encoding="utf-8"))
            students = {key: Student(**student) for key, student in raw["students"].items()}
            return cls((), students, raw["rule"], tuple(raw["notes"]))
        except (ValueError, KeyError, TypeError, AttributeError):
            raise ArchiveError(f"{path}: this is not what grade wrote; remove it and grade again.") from None


def take_in(source: Path, grades: Path, lab: Lab, student: str | None = None) -> Intake:
    """Copy one notebook a student from `source` to `grades/submissions`; `ArchiveError` if `source` is no export.

    With `student` all of `source` is this one student's, as in an autograder, and no names are looked at.
    """
    if source.resolve() == grades.resolve():
        raise ArchiveError(
            f"{source}: results cannot be written to where the submissions lie; give a folder in it."
        )
    known = Intake.load(grades).students
    with Reader(lab) as reader, open_export(source, without=grades) as (files, notes):
        files = _without_results(files, notes)
        if student is not None:
            rule, claim = "student", all_of(student)
            files = files or [Found(PurePosixPath(printable(source.name)), 0.0, bytes, "an empty folder")]
        else:
            who = _people(files, reader, notes)
            files = [found for found in files if not _is_metadata(found)]
            rule, claim = choose_rule(files, lab.slug, who, notes)
        groups: dict[Student, list[Claim]] = {}
        for found in files:
            if (mine := claim(found)) is not None:
                groups.setdefault(mine.student, []).append(mine)
            elif not found.leftover or ".ipynb" in found.path.name:
                kind = f" ({found.leftover})" if found.leftover else ""
                notes.append(f"{found.path}{kind} belongs to no student and was left out.")
        if not groups:
            raise ArchiveError(" ".join([f"{source}: there is no notebook (.ipynb) in it.", *notes[:3]]))
        folder = grades / "submissions"
        folder.mkdir(parents=True, exist_ok=True)
        ids = assign_ids(groups, known)
        ordered = sorted(ids, key=lambda i: (ids[i].name.casefold(), ids[i].lms_id, i))
        incoming = [keep_one(i, groups[ids[i]], folder, lab.number, reader) for i in ordered]
    if len(notes) > MAX_NOTES:
        notes = [*notes[:MAX_NOTES], f"{len(notes) - MAX_NOTES} more notes of this kind are not shown."]
    return Intake(tuple(incoming), known | ids, RULES[rule], tuple(notes))


def _without_results(files: Sequence[Found], notes: list[str]) -> list[Found]:
    """The files, but what `grade` once wrote: its folder may lie among the submissions under any name.

    Of that folder only the names that `grade` gives: else two files of one student could leave out all that lies there.
    """
    folders = [
        {found.path.parent for found in files if found.path.name == name}
        for name in ("intake.json", "run.json")
    ]
    results = folders[0] & folders[1]
    if not results:
        return list(files)
    notes += [f"{folder} holds what grade wrote and was left out." for folder in sorted(results)]
    written = {folder / name for folder in results for name in _WRITTEN}
    return [found for found in files if written.isdisjoint((found.path, *found.path.parents))]


def _is_metadata(found: Found) -> bool:
    inside = any(GRADESCOPE.fullmatch(part) for part in found.path.parts)  # a student's own file
    return found.path.name in METADATA and not inside


def _people(files: Sequence[Found], reader: Reader, notes: list[str]) -> Who:
    """Who handed in which of Gradescope's folders. The metadata is read where it lies beside them, when asked for."""
    entries: dict[str, str] = {}
    folders = {
        part: found.path.parts[:i]
        for found in files
        for i, part in enumerate(found.path.parts[:-1])
        if GRADESCOPE.fullmatch(part)
    }
    for found in files:
        beside = found.path.parts[:-1] in folders.values()
        if found.path.name == METADATA[0] and beside and _is_metadata(found):
            try:
                entries |= gradescope.entries(found.read().decode("utf-8-sig", errors="replace"))
            except ArchiveError as error:
                notes.append(f"{found.path} could not be read ({error}): submissions are named by numbers.")
    kept: dict[str, tuple[Student, str | None]] = {}

    def who(folder: str) -> tuple[Student, str | None]:
        if folder not in kept:
            kept[folder] = _submitter(folder, entries, reader, notes)
        return kept[folder]

    return who


def _submitter(
    folder: str, entries: dict[str, str], reader: Reader, notes: list[str]
) -> tuple[Student, str | None]:
    """The people of one of Gradescope's folders, as one student, and the time; its number where nobody is named."""
    number = folder.removeprefix("submission_")
    found = reader.people(entries[folder]) if folder in entries else None
    if found is None and folder in entries:
        notes.append(f"{folder} in {METADATA[0]} could not be read: it is named by its number.")
    people = found["people"] if found else []
    sids = ", ".join(sorted(filter(None, (person["sid"] for person in people))))
    emails = ", ".join(sorted(filter(None, (person["email"] for person in people))))
    names = ", ".join(filter(None, (person["name"] for person in people)))
    submitted = found["submitted"] if found else None
    if not names:
        return Student(f"submission {number}", number), submitted
    return Student(names, sids, emails, "" if sids else number), submitted
