"""What is graded and what comes out: the files that intake, grader and reports share.

`Incoming` is one student's notebook as the intake found it. `Record` is what the grader made of it: one JSON
file a submission, `GRADES/records/<id>.json`, written atomically. All are frozen and survive a round trip
through JSON (`Record.load(record.save(folder)) == record`).
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from efficientlab.files import write_text
from efficientlab.grading.secret import secret

FORMAT = 1
_END, _SIGNATURE = "\n}\n", ',\n "signature": "'  # of a record's text, and what stands between
Status = Literal[
    "passed",  # every case; `earned` == `points`
    "failed",  # wrong outputs; `message` says which, `slip` names the misconception where it is known
    "missing",  # no cell defines the name
    "unwritten",  # the stub is still there
    "borrowed",  # the solution's answer, handed out by `lab.borrow`; `earned` is 0
    "error",  # the student's code raised
    "crash",  # the student's code ended its process (exit, kill, out of memory)
    "timeout",  # the student's code took longer than a case or the submission may
    "by hand",  # a person reads it; `earned` is None
    "not checked",  # the grader could not check it here; `earned` is None, `Record.faults` or `message` says why
]


@dataclass(frozen=True)
class Incoming:
    """One student's submission, as the intake yields it.

    `id` names its record: letters, digits, `.`, `_`, `-`, unique in the batch (`record_id` makes one).
    `path` is the notebook on the grader's disk, `sha256` the hash of its bytes, `submitted` an ISO 8601 time or
    None where the LMS gave none; `notes` are sentences for the report (a duplicate, a renamed file). Where nothing was
    handed in that could be read, `refused` says so in one sentence.
    """

    id: str
    student: str
    path: Path
    sha256: str
    submitted: str | None = None
    notes: tuple[str, ...] = ()
    refused: str = ""

    def __post_init__(self) -> None:
        if record_id(self.id) != self.id:
            raise ValueError(f"{self.id!r} cannot name a record; use {record_id(self.id)!r}.")


@dataclass(frozen=True)
class ExerciseResult:
    """One exercise of one submission.

    `earned` is None where a person reads the answer, or where it could not be checked. `message` is one sentence
    for the student; it never shows a hidden case. `slip` is the sentence of the planted misconception whose
    outputs the answer gave. `cases` passed in `seconds` of wall time. `notes` are sentences for the grader.
    """

    id: str
    title: str
    points: int
    bonus: bool
    earned: int | None
    status: Status
    message: str
    slip: str | None = None
    cases: int = 0
    seconds: float = 0.0
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.status not in get_args(Status):
            raise ValueError(f"{self.status!r} is no status; use one of {', '.join(get_args(Status))}.")


@dataclass(frozen=True)
class Record:
    """What became of one submission.

    `lab_version` hashes the lab's checks, recorded cases and solution; with `sha256` it says whether a record is
    still valid. Fresh cases were drawn from `seed`. `sandbox` names the backend, and `guarantee` says in one
    sentence what it promised. `notes` are about the submission; `faults` are the grader's own troubles, and a
    record that has any is graded again by the next run. `seconds` is wall time, `cpu_seconds` that of the
    student's code and the grader together.
    """

    id: str
    student: str
    file: str
    sha256: str
    submitted: str | None
    lab: int
    lab_version: str
    seed: int
    sandbox: str
    guarantee: str
    exercises: tuple[ExerciseResult, ...]
    notes: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    format: int = FORMAT

    @property
    def points(self) -> int:
        """Points earned by code, of the lab's 100; bonus points are not in it."""
        return sum(e.earned or 0 for e in self.exercises if not e.bonus)

    @property
    def bonus(self) -> int:
        """Bonus points earned."""
        return sum(e.earned or 0 for e in self.exercises if e.bonus)

    @property
    def checkable(self) -> int:
        """Points that code gives, bonus not included."""
        return sum(e.points for e in self.exercises if e.status != "by hand" and not e.bonus)

    @property
    def by_hand(self) -> int:
        """Points that wait for a person."""
        return sum(e.points for e in self.exercises if e.status == "by hand")

    def __getitem__(self, exercise_id: str) -> ExerciseResult:
        for exercise in self.exercises:
            if exercise.id == exercise_id:
                return exercise
        raise KeyError(f"the record of {self.id} has no exercise {exercise_id!r}")

    def to_json(self) -> str:
        """The record as JSON text. No half of a surrogate pair is in it, whatever a student's code raised."""
        text = json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n"
        return text.encode("utf-8", "replace").decode("utf-8")

    @classmethod
    def from_json(cls, text: str) -> Record:
        """Read a record back; `ValueError` says what is wrong with the text."""
        try:
            raw: dict[str, Any] = json.loads(text)
            if raw["format"] != FORMAT:
                raise ValueError(f"the record has format {raw['format']}; this version reads {FORMAT}")
            exercises = tuple(ExerciseResult(**_tuples(exercise)) for exercise in raw.pop("exercises"))
            return cls(exercises=exercises, **_tuples(raw))
        except (KeyError, TypeError, AttributeError, RecursionError) as error:
            raise ValueError(f"this is not a record of format {FORMAT}: {error!r}") from None

    def save(self, grades: Path) -> Path:
        """Write `grades/records/<id>.json`, atomically: after a crash it is there in full, or not at all.

        It is signed with the folder's key, so that one which a hand changed later is not taken for the grader's.
        """
        path = record_path(grades, self.id)
        text = self.to_json()
        write_text(path, text.removesuffix(_END) + _SIGNATURE + _signature(text, grades) + f'"{_END}')
        return path

    @classmethod
    def load(cls, path: Path) -> Record:
        """Read one record file; `ValueError` where it is not as `save` left it."""
        text = path.read_text(encoding="utf-8")
        body, _, signature = text.removesuffix(f'"{_END}').rpartition(_SIGNATURE)
        unsigned = f"{body}{_END}"
        if not hmac.compare_digest(signature.encode(), _signature(unsigned, path.parent.parent).encode()):
            raise ValueError("it is not as the grader wrote it")
        return cls.from_json(unsigned)


def record_path(grades: Path, record: str) -> Path:
    """Where the record with this id is kept."""
    return grades / "records" / f"{record}.json"


def _signature(text: str, grades: Path) -> str:
    return hmac.new(secret(grades / "key.txt"), text.encode(), hashlib.sha256).hexdigest()


def load_records(grades: Path) -> list[Record]:
    """All records of a `GRADES` folder, by id."""
    return [Record.load(path) for path in sorted((grades / "records").glob("*.json"))]


def record_id(name: str) -> str:
    """A file-system-safe id: letters, digits, `.`, `_` and `-`, at most 100 of them, no leading dot."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip(".-")[:100] or "unnamed"


def _tuples(raw: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in raw.items()}
