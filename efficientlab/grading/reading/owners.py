"""Whose is each file of an export: by the LMS's own names, or by the folder or file that stands for a person.

A rule is chosen by *submissions*: each folder or file at the outermost level that tells any apart has one vote, however
many files it holds. So nobody decides for the class by what he puts into his own.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from efficientlab.grading.reading.archive import Found
from efficientlab.grading.reading.roster import Student

CANVAS = re.compile(
    r"(?:(?P<late_anon>LATE_)?anon_(?P<code>[A-Za-z0-9]{3,12})|(?P<name>.+?)_(?:(?P<late>LATE)_)?(?P<id>\d+))_"
    r"(?:(?P<order>\d+)_(?P<file>.+)|(?P<typed>text|link)(?:-\d+)?\.html?)"
)
MOODLE = re.compile(r"(?P<name>.+?)_(?P<id>\d+)_assignsubmission_(?P<kind>file|onlinetext)_?(?P<file>.*)")
GRADESCOPE = re.compile(r"submission_(?P<id>\d+)")
METADATA = ("submission_metadata.yml", "submission_metadata.json")
HANDED_IN = {".ipynb", ".zip", ".py", ".html", ".htm", ".pdf", ".docx", ".rar", ".7z", ".gz", ".tar", ".json"}

RULES = {
    "Canvas": "by Canvas' file names: name_user-id_attachment-id_file",
    "Moodle": "by Moodle's folder names: name_number_assignsubmission_file",
    "Gradescope": "by Gradescope's folders submission_number, with names from submission_metadata.yml",
    "folders": "by the folder that a notebook lies in: one a student",
    "files": "by the notebook's file name: one a student",
}
_DEEPEST = 4  # folders around those of students: a wrapper, sections, groups
_GENERIC = re.compile(
    r"(?:untitled|scratch|draft|final|backup|copy|copie|kopie|old|new|test|try|attempt|version|v|solution|submission|"
    r"homework|hw|answers?|notebook|main|work|my|mine|of|the|lab|labs|exercises?|src|code|archive)*"
)


@dataclass(frozen=True)
class Claim:
    """A file of the export, and whose it is. `typed` says what was handed in where it was no file."""

    found: Found
    student: Student
    order: tuple[float, ...]  # of two claims of a student the later one is larger
    submitted: str | None = None
    note: str = ""
    typed: str = ""


Claimer = Callable[[Found], Claim | None]
Who = Callable[[str], tuple[Student, str | None]]  # of Gradescope's folder: the people, the time


def choose_rule(files: Sequence[Found], slug: str, who: Who) -> tuple[str, Claimer]:
    """The rule that knows the owner of most submissions, and the function that asks it."""
    real = [found for found in files if not found.leftover]
    telling = (
        [f for f in real if is_notebook(f.path)] or [f for f in real if handed_in(f.path)] or list(files)
    )
    paths = [found.path for found in telling]
    wrapper = _wrapper(paths, slug)
    for level in range(wrapper, wrapper + 2):
        for name, pattern in (("Canvas", CANVAS), ("Moodle", MOODLE), ("Gradescope", GRADESCOPE)):
            if _share(paths, wrapper, level, pattern) > 0.5:
                return name, _by_lms(name, level, slug, who)
    level = _persons(paths, wrapper, slug)
    units = {path.parts[: level + 1]: len(path.parts) > level + 1 for path in paths}
    folders = sum(units.values()) * 2 >= len(units) and any(units.values())
    return ("folders" if folders else "files"), _plain(level, slug, folders)


def is_notebook(path: PurePosixPath) -> bool:
    """Whether a file is called a notebook, `lab4.ipynb.txt` included, which some browsers make of it."""
    return ".ipynb" in path.name.lower()


def handed_in(path: PurePosixPath) -> bool:
    """Whether a file may be what a person handed in, and not a text beside the submissions."""
    return is_notebook(path) or path.suffix.lower() in HANDED_IN


def _wrapper(paths: Sequence[PurePosixPath], slug: str) -> int:
    """How many leading folders all notebooks share, and which therefore tell no student from another."""
    shared = 0
    for parts in zip(*(path.parts[:-1] for path in paths), strict=False):
        if len(set(parts)) > 1 or any(rule.fullmatch(parts[0]) for rule in (CANVAS, MOODLE, GRADESCOPE)):
            break
        shared += 1
    if shared and _is_one_persons([path.parts[shared:] for path in paths], slug):
        shared -= 1
    return shared


def _is_one_persons(inside: Sequence[tuple[str, ...]], slug: str) -> bool:
    """Whether what lies in one folder is a person's: the lab's notebook, and nothing that is called after others."""
    names = [_person(parts[0], slug) for parts in inside]
    own = any(len(parts) == 1 and not name for parts, name in zip(inside, names, strict=True))
    return own and not any(names)


def _share(paths: Sequence[PurePosixPath], wrapper: int, level: int, pattern: re.Pattern[str]) -> float:
    """The share of submissions whose names at `level` have the pattern; each at the outermost level counts as one."""
    votes: dict[str, list[bool]] = defaultdict(list)
    for path in paths:
        part = path.parts[level] if len(path.parts) > level else ""
        votes[path.parts[wrapper]].append(pattern.fullmatch(part) is not None)
    return sum(sum(v) / len(v) for v in votes.values()) / len(votes) if votes else 0.0


def _persons(paths: Sequence[PurePosixPath], wrapper: int, slug: str) -> int:
    """The level whose folders or files stand for a person each, below folders of sections if there are any."""
    for level in range(wrapper, wrapper + _DEEPEST):
        units: dict[tuple[str, ...], list[tuple[str, ...]]] = defaultdict(list)
        for path in paths:
            if len(path.parts) > level + 1:
                units[path.parts[: level + 1]].append(path.parts[level + 1 :])
        everywhere = _recurring(units.values())
        groups = sum(_is_group(inside, everywhere, slug) for inside in units.values())
        if groups * 2 <= len({path.parts[: level + 1] for path in paths}):
            return level
    return wrapper


def _recurring(units: Iterable[Sequence[tuple[str, ...]]]) -> set[str]:
    """The names that lie in more than one of the folders, as `labs` or `homework1` may, and people do not."""
    seen: set[str] = set()
    again: set[str] = set()
    for inside in units:
        names = {parts[0] for parts in inside}
        again |= names & seen
        seen |= names
    return again


def _is_group(inside: Sequence[tuple[str, ...]], everywhere: set[str], slug: str) -> bool:
    """Whether a folder holds several people's: two or more names in it that are a person's."""
    names = {parts[0] for parts in inside} - everywhere
    return sum(bool(_person(name, slug)) for name in names) >= 2


def _person(name: str, slug: str) -> str:
    """What a file's or folder's name says beside the lab's and words for any notebook: a person's name, or nothing."""
    rest = _without_lab(_stem(name), slug)
    words = re.sub(r"[\W\d_]+", "", rest.casefold())
    return "" if _GENERIC.fullmatch(words) else rest


def _stem(name: str) -> str:
    return re.sub(r"(?i)( ?\(\d+\))?\.(?:ipynb.*|zip|py|html?|pdf|docx|rar|7z|tar|gz)$", "", name).strip()


def _without_lab(stem: str, slug: str) -> str:
    """`alice` of `lab4_tsm-alice`, `alice_lab4`, and `Lab 4 - alice`; nothing of `lab4_tsm-Copy1` and `lab4`."""
    number, _, topic = slug.partition("_")
    digits = re.sub(r"\D", "", number)
    lab = rf"(?:{re.escape(slug)}|lab[ _-]?{digits}(?:[ _-]{re.escape(topic)})?)"
    rest = re.sub(rf"(?i)^{lab}(?:[^a-z0-9]+|$)", "", stem)
    rest = re.sub(rf"(?i)(?:^|[^a-z0-9]+){lab}$", "", rest)
    return re.sub(r"(?i)(?:^|-)copy\d*$|^\(?\d+\)?$", "", rest).strip(" -_.")


def _by_lms(rule: str, level: int, slug: str, who: Who) -> Claimer:
    ask = {
        "Canvas": _canvas,
        "Moodle": _moodle,
        "Gradescope": lambda found, part: _gradescope(found, part, who),
    }[rule]

    def claim(found: Found) -> Claim | None:
        if len(found.path.parts) <= level:
            return None
        part = found.path.parts[level]
        mine = ask(found, part)
        if mine is None and handed_in(found.path) and not found.leftover and (name := _person(part, slug)):
            note = f"{part} has none of {rule}'s names; the student is named after it."
            mine = Claim(found, Student(name), (found.modified,), note=note)
        return mine

    return claim


def _canvas(found: Found, part: str) -> Claim | None:
    match = CANVAS.fullmatch(part)
    if match is None:
        return None
    name, identity = (
        (f"anon_{match['code']}", match["code"]) if match["code"] else (match["name"], match["id"])
    )
    late = "Canvas marks it as late." if match["late"] or match["late_anon"] else ""
    kinds = {"text": "a text was typed into Canvas", "link": "a link was given to Canvas"}
    typed = kinds.get(match["typed"] or "", "")
    order = (float(match["order"] or 0), found.modified)
    return Claim(found, Student(name, identity), order, note=late, typed=typed)


def _moodle(found: Found, part: str) -> Claim | None:
    match = MOODLE.fullmatch(part)
    if match is None:
        return None
    typed = "a text was typed into Moodle" if match["kind"] == "onlinetext" else ""
    return Claim(found, Student(match["name"], match["id"]), (found.modified,), typed=typed)


def _gradescope(found: Found, part: str, who: Who) -> Claim | None:
    match = GRADESCOPE.fullmatch(part)
    if match is None or (found.path.name in METADATA and len(found.path.parts) < 2):
        return None
    student, submitted = who(part)
    return Claim(found, student, (float(match["id"]), found.modified), submitted)


def _plain(level: int, slug: str, folders: bool) -> Claimer:
    def claim(found: Found) -> Claim | None:
        inside = found.path.parts[level:]
        if not inside:
            return None
        if len(inside) > 1:
            if inside[0].startswith(".") or inside[0] == "__MACOSX":
                return None  # it is of no person
            name = inside[0]
        else:
            if not handed_in(found.path) or (found.leftover and "zip" not in found.leftover):
                return None
            person = _person(inside[0], slug)
            if folders and not person:
                return None  # the lab itself, beside the students' folders
            name = person or found.path.name.split(".ipynb")[0]
        return Claim(found, Student(name.strip() or "unnamed"), (found.modified,))

    return claim
