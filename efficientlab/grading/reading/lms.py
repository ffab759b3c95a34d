"""The names that learning management systems give to what students hand in, and whose each is."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import takewhile

from efficientlab.grading.reading.archive import ArchiveError, Found, printable
from efficientlab.grading.reading.roster import Student

METADATA = ("submission_metadata.yml", "submission_metadata.json")
GRADESCOPE = re.compile(r"submission_(?P<id>\d+)(?:\.[a-z]+)?")
LMS = {
    "Canvas": re.compile(
        r"(?:(?P<late_anon>LATE_)?anon_(?P<code>[A-Za-z0-9]{3,12})|(?P<name>.+?)_(?:(?P<late>LATE)_)?(?P<id>\d+))_"
        r"(?:question_\d+_)?(?:(?P<order>\d+)_(?P<file>.+)|(?P<typed>text|link)(?:-\d+)?\.html?)"
    ),
    "Moodle": re.compile(r"(?P<name>.+?)_(?P<id>\d+)_assignsubmission_(?P<kind>[a-z]+)(?:_(?P<file>.*))?"),
    "Gradescope": GRADESCOPE,
    "Blackboard": re.compile(r"(?P<name>.+?)_attempt_(?P<when>\d{4}(?:-\d\d){5})(?:_(?P<file>.+)|\.txt)"),
    "Brightspace": re.compile(
        r"(?P<id>\d+-\d+) - (?P<name>.+?) - (?P<when>(?:\d{4}-\d\d-\d\d )?[^-]*\d{4}[^-]*?)(?: - (?P<file>.+))?"
    ),
    "nbgrader": re.compile(
        r"(?P<name>[^+]+)\+[^+]+\+(?P<when>\d{4}-\d\d-\d\d[ _]\d\d.\d\d.\d\d(?:\.\d+)?)[^+]*(?:\+[^+]+)?"
    ),
}


@dataclass(frozen=True)
class Claim:
    """A file of the export, and whose it is. `typed` says what was handed in where it was no file."""

    found: Found
    student: Student
    order: tuple[float, ...]  # of two claims of a student the later one is larger
    submitted: str | None = None
    note: str = ""
    typed: str = ""


Who = Callable[[str], tuple[Student, str | None]]  # of Gradescope's folder: the people, the time
Ask = Callable[[Found, "re.Match[str]"], Claim]


def asker(rule: str, names: Mapping[str, Found], who: Who) -> Ask:
    """The function that makes a claim of a file whose name, or folder's, has a rule's pattern; `names` are all such."""
    if rule == "Gradescope":
        return partial(_gradescope, who)
    if rule == "Blackboard":
        return partial(_blackboard, _before_users(names), _users(names))
    return {"Canvas": _canvas, "Moodle": _moodle, "Brightspace": _brightspace, "nbgrader": _nbgrader}[rule]


def _canvas(found: Found, match: re.Match[str]) -> Claim:
    name, identity = (
        (f"anon_{match['code']}", match["code"]) if match["code"] else (match["name"], match["id"])
    )
    late = "Canvas marks it as late." if match["late"] or match["late_anon"] else ""
    kinds = {"text": "a text was typed into Canvas", "link": "a link was given to Canvas"}
    typed = kinds.get(match["typed"] or "", "")
    order = (float(match["order"] or 0), found.modified)
    return Claim(found, Student(name, identity), order, note=late, typed=typed)


def _moodle(found: Found, match: re.Match[str]) -> Claim:
    typed = "a text was typed into Moodle" if match["kind"] == "onlinetext" else ""
    return Claim(found, Student(match["name"], match["id"]), (found.modified,), typed=typed)


def _gradescope(who: Who, found: Found, match: re.Match[str]) -> Claim:
    student, submitted = who(f"submission_{match['id']}")
    return Claim(found, student, (float(match["id"]), found.modified), submitted)


def _blackboard(before: str, users: Mapping[str, Student], found: Found, match: re.Match[str]) -> Claim:
    """Blackboard puts a text of its own beside each attempt; it holds what the student typed."""
    typed = "" if match["file"] else "a text was typed into Blackboard"
    order = (float(match["when"].replace("-", "")), found.modified)
    student = users.get(match["name"]) or Student(match["name"].removeprefix(before) or match["name"])
    return Claim(found, student, order, typed=typed)


def _users(names: Mapping[str, Found]) -> dict[str, Student]:
    """Who Blackboard's own texts say has handed in, `Name: Jane Doe (jdoe)`, by what stands before `_attempt_`."""
    users = {}
    for name, found in names.items():
        match = LMS["Blackboard"].fullmatch(name)
        if match is None or match["file"]:
            continue
        with suppress(ArchiveError):
            first = found.read()[:1_000].decode("utf-8-sig", errors="replace").split("\n")[0]
            said = re.fullmatch(r"Name:\s*(?P<name>.*\S)\s*\((?P<user>[^()]+)\)\s*", first)
            if said and f"_{match['name']}".endswith(f"_{said['user']}"):
                users[match["name"]] = Student(printable(said["name"]), printable(said["user"]))
    return users


def _before_users(names: Iterable[str]) -> str:
    """What stands before the user in Blackboard's names: course and assignment, as far as all share these words."""
    matches = filter(None, map(LMS["Blackboard"].fullmatch, names))
    people = [match["name"].split("_") for match in matches]
    shared = takewhile(lambda same: len(set(same)) == 1, zip(*(words[:-1] for words in people), strict=False))
    return "".join(f"{words[0]}_" for words in shared)


def _brightspace(found: Found, match: re.Match[str]) -> Claim:
    order = (0.0, found.modified)
    for form in ("%b %d, %Y %I%M %p", "%Y-%m-%d %H%M"):
        with suppress(ValueError):  # another language's date: files have theirs
            order = (datetime.strptime(match["when"], form).timestamp(), found.modified)
    return Claim(found, Student(match["name"], match["id"]), order)


def _nbgrader(found: Found, match: re.Match[str]) -> Claim:
    """A folder of nbgrader's exchange: one an attempt."""
    order = (float(re.sub(r"\D", "", match["when"])[:14]), found.modified)
    return Claim(found, Student(match["name"]), order)
