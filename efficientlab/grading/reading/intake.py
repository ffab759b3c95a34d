"""From what an LMS exports to one notebook a student: `take_in`.

Students are recognised by the export's own names: Canvas `name_id_id_file.ipynb`, Moodle's
`Name_id_assignsubmission_file_` folders, Gradescope's `submission_id` folders with their `submission_metadata.yml`,
a folder a student, or plain `name.ipynb`. Of several notebooks of one student the latest that holds an exercise counts.
The rule and every decision are kept in `GRADES/intake.json` and shown in the reports.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

from efficientlab.exercises.lab import Lab
from efficientlab.files import replacing, write_text
from efficientlab.grading.reading.archive import ArchiveError, Found, open_export
from efficientlab.grading.reading.notebook import SubmissionError
from efficientlab.grading.reading.submission import read_submission
from efficientlab.grading.record import Incoming, record_id

CANVAS = re.compile(r"(?P<name>[^_/]+)_(?:(?P<late>LATE)_)?(?P<id>\d+)_(?P<order>\d+)_(?P<file>.+)")
MOODLE = re.compile(r"(?P<name>.+?)_(?P<id>\d+)_assignsubmission_(?:file|onlinetext)_?(?P<file>.*)")
GRADESCOPE = re.compile(r"submission_(?P<id>\d+)")
METADATA = ("submission_metadata.yml", "submission_metadata.json")

RULES = {
    "Canvas": "by Canvas' file names: name_user-id_attachment-id_file",
    "Moodle": "by Moodle's folder names: name_number_assignsubmission_file",
    "Gradescope": "by Gradescope's folders submission_number, with names from submission_metadata.yml",
    "folders": "by the folder that a notebook lies in: one a student",
    "files": "by the notebook's file name: one a student",
}


@dataclass(frozen=True)
class Student:
    """Who handed a notebook in, as the export says it. `lms_id` is the LMS's number where it gives one."""

    name: str
    lms_id: str = ""
    email: str = ""


@dataclass(frozen=True)
class Intake:
    """A batch: what is to be graded, who that is (by record id), the matching rule, and what was left out."""

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
        raw = json.loads(path.read_text(encoding="utf-8"))
        students = {key: Student(**student) for key, student in raw["students"].items()}
        return cls((), students, raw["rule"], tuple(raw["notes"]))


@dataclass(frozen=True)
class _Claim:
    """A file of the export, and whose it is."""

    found: Found
    student: Student
    order: tuple[float, ...]  # of two claims of a student the later one is larger
    submitted: str | None = None
    note: str = ""


def take_in(source: Path, grades: Path, lab: Lab) -> Intake:
    """Copy one notebook a student from `source` to `grades/submissions`; `ArchiveError` if `source` is no export."""
    with open_export(source) as (files, notes):
        metadata = _metadata(files, notes)
        files = [found for found in files if found.path.name not in METADATA]
        rule, claim = _rule(files, metadata, lab)
        groups: dict[Student, list[_Claim]] = {}
        for found in files:
            if (mine := claim(found)) is not None and (rule != "files" or _is_notebook(found.path)):
                groups.setdefault(mine.student, []).append(mine)
            else:
                notes.append(f"{found.path} belongs to no student and was left out.")
        if not groups:
            raise ArchiveError(f"{source}: there is no notebook (.ipynb) in it.")
        folder = grades / "submissions"
        folder.mkdir(parents=True, exist_ok=True)
        incoming, students = [], {}
        ids = _Ids()
        for student in sorted(groups, key=lambda s: (s.name.casefold(), s.lms_id)):
            identity = ids.new(student)
            incoming.append(_keep_latest(identity, groups[student], folder, lab))
            students[identity] = student
    return Intake(tuple(incoming), students, RULES[rule], tuple(notes))


def _keep_latest(identity: str, claims: list[_Claim], folder: Path, lab: Lab) -> Incoming:
    """Write the latest notebook that holds an exercise to `folder`; the others are named in the notes."""
    notebooks = [c for c in claims if _is_notebook(c.found.path)]
    ordered = sorted(notebooks or claims, key=lambda c: (c.order, str(c.found.path)), reverse=True)
    path = folder / f"{identity}.ipynb"
    notes: list[str] = []
    chosen, why = ordered[0], ""
    for position, claim in enumerate(ordered):
        why = _write(claim, path)
        if not why and (len(ordered) == 1 or _answers(path, lab)):
            chosen = claim
            if position:
                skipped = ", ".join(str(c.found.path) for c in ordered[:position])
                notes.append(f"passed over, as no exercise is in it: {skipped}.")
            break
    else:
        why = _write(chosen, path)  # none holds an exercise: the latest, whose reading says what is wrong
    if why:
        notes.append(f"{chosen.found.path} could not be read: {why}.")
    if not notebooks:
        notes.append(f"the file {chosen.found.path.name} is not called .ipynb.")
    if len(ordered) > 1:
        others = ", ".join(str(c.found.path) for c in ordered if c is not chosen)
        notes.append(f"{len(ordered)} notebooks were handed in; {chosen.found.path} counts, not {others}.")
    notes += [chosen.note] if chosen.note else []
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    student = chosen.student.name
    return Incoming(identity, student, path, digest, chosen.submitted, tuple(notes))


def _write(claim: _Claim, path: Path) -> str:
    """Write the file's bytes to `path`, or nothing; the reason where they cannot be read."""
    try:
        data, why = claim.found.read(), ""
    except ArchiveError as error:
        data, why = b"", str(error)
    with replacing(path) as part:
        part.write_bytes(data)
    return why


def _answers(path: Path, lab: Lab) -> bool:
    try:
        read_submission(path, lab)
    except SubmissionError:
        return False
    return True


def _is_notebook(path: PurePosixPath) -> bool:
    """`.ipynb`, and what browsers and editors make of it: `.ipynb.txt`, `.ipynb.json`, `.IPYNB`."""
    return ".ipynb" in path.name.lower()


class _Ids:
    """Record ids that depend on the student alone, so that a second run finds the first one's records."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def new(self, student: Student) -> str:
        whole = f"{student.name}_{student.lms_id}" if student.lms_id else student.name
        plain = record_id(whole)
        if plain != whole.replace(" ", "-") or plain.casefold() in self._taken:
            plain = f"{plain[:80]}-{hashlib.sha256(whole.encode(errors='replace')).hexdigest()[:8]}"
        self._taken.add(plain.casefold())
        return plain


_Claimer = Callable[[Found], _Claim | None]


def _rule(files: list[Found], metadata: dict[str, Any], lab: Lab) -> tuple[str, _Claimer]:
    """The first rule that knows the owner of most notebooks."""
    notebooks = [found for found in files if _is_notebook(found.path)] or files
    for name, claim in (("Canvas", _canvas), ("Moodle", _moodle), ("Gradescope", _gradescope(metadata))):
        if notebooks and sum(claim(found) is not None for found in notebooks) * 2 > len(notebooks):
            return name, claim
    paths = [found.path for found in notebooks]
    wrapper = _common_folder(paths, lab)
    in_folders = sum(len(path.parts) > wrapper + 1 for path in paths) * 2 > len(paths)
    return ("folders" if in_folders else "files"), _plain(wrapper)


def _canvas(found: Found) -> _Claim | None:
    for part in (
        found.path.parts
    ):  # the outermost is Canvas' own; what lies in a student's zip may be called anything
        if match := CANVAS.fullmatch(part):
            late = "Canvas marks it as late." if match["late"] else ""
            order = (float(match["order"]), found.modified)
            return _Claim(found, Student(match["name"], match["id"]), order, note=late)
    return None


def _moodle(found: Found) -> _Claim | None:
    for part in found.path.parts:
        if match := MOODLE.fullmatch(part):
            return _Claim(found, Student(match["name"], match["id"]), (found.modified,))
    return None


def _gradescope(metadata: dict[str, Any]) -> _Claimer:
    def claim(found: Found) -> _Claim | None:
        for part in found.path.parts[:-1]:
            if match := GRADESCOPE.fullmatch(part):
                who, submitted = _submitter(metadata.get(part), match["id"])
                return _Claim(found, who, (float(match["id"]), found.modified), submitted)
        return None

    return claim


def _plain(wrapper: int) -> _Claimer:
    def claim(found: Found) -> _Claim | None:
        inside = found.path.parts[wrapper:]
        if not inside:
            return None
        name = inside[0] if len(inside) > 1 else re.sub(r"(?i)( ?\(\d+\))?\.ipynb.*", "", inside[0])
        return _Claim(found, Student(name.strip() or "unnamed"), (found.modified,))

    return claim


def _common_folder(paths: list[PurePosixPath], lab: Lab) -> int:
    """How many leading folders all notebooks share, and which therefore tell no student from another."""
    if len(paths) < 2:
        return max(0, len(paths[0].parts) - 2) if paths else 0
    shared = 0
    for parts in zip(*(path.parts[:-1] for path in paths), strict=False):
        if len(set(parts)) > 1:
            break
        shared += 1
    if shared and any(path.name.startswith(lab.slug) and len(path.parts) == shared + 1 for path in paths):
        shared -= 1  # lab4_tsm.ipynb names no student, so the folder does
    return shared


def _metadata(files: list[Found], notes: list[str]) -> dict[str, Any]:
    """Gradescope's list of submitters, by folder; empty where there is none."""
    for found in files:
        outside = not any(GRADESCOPE.fullmatch(part) for part in found.path.parts)  # not a student's own file
        if found.path.name == METADATA[0] and outside:
            import yaml

            try:
                raw = yaml.safe_load(found.read())
            except (ArchiveError, yaml.YAMLError, RecursionError, ValueError):
                notes.append(f"{found.path} could not be read, so submissions are named by their numbers.")
            else:
                return raw if isinstance(raw, dict) else {}
    return {}


def _submitter(entry: Any, number: str) -> tuple[Student, str | None]:
    """The people and the time of one entry of Gradescope's metadata, whose keys are Ruby symbols."""
    people = [person for person in _get(entry, "submitters", []) if isinstance(person, dict)]
    names = [str(_get(person, "name", "")) for person in people]
    created = _get(entry, "created_at", None)
    submitted = None
    with suppress(TypeError, ValueError):
        when = created if isinstance(created, datetime) else datetime.fromisoformat(str(created))
        submitted = (when if when.tzinfo else when.replace(tzinfo=UTC)).isoformat()
    sids = ", ".join(str(_get(person, "sid", "") or "") for person in people)
    emails = ", ".join(str(_get(person, "email", "") or "") for person in people)
    name = ", ".join(filter(None, names)) or f"submission {number}"
    return Student(name, sids.strip(", ") or number, emails.strip(", ")), submitted


def _get(entry: Any, key: str, default: Any) -> Any:
    if not isinstance(entry, dict):
        return default
    return entry.get(f":{key}", entry.get(key, default)) or default
