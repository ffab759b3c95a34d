"""Who is in the class: students as exports name them, and the record id that each keeps from the first export on."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from efficientlab.grading.record import record_id


@dataclass(frozen=True)
class Student:
    """Who handed a notebook in, as the export says it.

    `lms_id` is the LMS's number of the person where it gives one. `number` is that of the submission: it tells two
    people of one name apart in an export that gives nothing better.
    """

    name: str
    lms_id: str = ""
    email: str = ""
    number: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """What stays the same from export to export."""
        if self.lms_id:
            return "id", self.lms_id
        return ("email", self.email) if self.email else ("name", self.name)


def assign_ids(students: Iterable[Student], known: Mapping[str, Student]) -> dict[str, Student]:
    """A record id for each student: the one that `known` has for that person, or a new one.

    An id names a record for good, and the points that a person gave for it. So it never depends on who else is in the
    class: the name that came first keeps the plain id, a later one that would collide gets a hash behind it.
    """
    ids: dict[str, Student] = {}
    waiting = sorted(students, key=lambda s: (s.name.casefold(), s.lms_id, s.number))
    for same in (_same_submission, _same_number, _same_person, _same_address):
        rest = []
        for student in waiting:
            mine = next((i for i, old in known.items() if i not in ids and same(old, student)), None)
            if mine is None:
                rest.append(student)
            else:
                ids[mine] = student
        waiting = rest
    taken = {identity.casefold() for identity in (*known, *ids)}  # some file systems do not tell A from a
    for student in waiting:
        identity = _new_id(student, taken)
        taken.add(identity.casefold())
        ids[identity] = student
    return ids


def _same_submission(old: Student, new: Student) -> bool:
    return _same_number(old, new) and old.name == new.name


def _same_number(old: Student, new: Student) -> bool:
    return _same_person(old, new) and old.number == new.number


def _same_person(old: Student, new: Student) -> bool:
    return old.key == new.key


def _same_address(old: Student, new: Student) -> bool:
    """Whether it is one person, of whom one export says less: no number, other letters in the address."""
    same = old.email.casefold() == new.email.casefold() != ""
    return same and not (old.lms_id and new.lms_id)


def _new_id(student: Student, taken: set[str]) -> str:
    whole = f"{student.name}_{student.lms_id}" if student.lms_id else student.name
    plain = record_id(whole)
    if plain == whole.replace(" ", "-") and plain.casefold() not in taken:
        return plain
    for attempt in range(1_000_000):
        digest = hashlib.sha256(f"{whole}\0{student.number}\0{attempt}".encode()).hexdigest()[:8]
        if (identity := f"{plain[:80]}-{digest}").casefold() not in taken:
            return identity
    raise ValueError(f"no record id is free for {student.name!r}")
