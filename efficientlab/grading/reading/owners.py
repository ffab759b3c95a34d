"""Whose is each file of an export: by the LMS's own names, or by the folder or file that stands for a person.

A rule is chosen by *submissions*: each folder or file at the outermost level that tells any apart has one vote, however
many files it holds. So nobody decides for the class by what lies in a folder of their own.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from efficientlab.grading.reading.archive import Found, printable
from efficientlab.grading.reading.lms import GRADESCOPE, LMS, Claim, Who, asker
from efficientlab.grading.reading.naming import (
    HANDED_IN,
    is_after_both,
    is_attempt,
    is_collective,
    only_number,
    person,
    person_key,
    without_times,
)
from efficientlab.grading.reading.roster import Student

RULES = {
    "Canvas": "by Canvas' file names: name_user-id_attachment-id_file",
    "Moodle": "by Moodle's folder names: name_number_assignsubmission_file",
    "Gradescope": "by Gradescope's folders submission_number, with names from submission_metadata.yml",
    "Blackboard": "by Blackboard's file names: assignment_user_attempt_time_file",
    "Brightspace": "by Brightspace's folder names: number-number - name - time",
    "nbgrader": "by nbgrader's folder names: user+assignment+time",
    "folders": "by the folder that a notebook lies in: one a student",
    "files": "by the notebook's file name: one a student",
    "student": "by --student: all of it is one student's",
}
_DEEPEST = 4  # folders around those of students: a wrapper, sections, groups

Claimer = Callable[[Found], Claim | None]
Parts = tuple[str, ...]  # of a path


def choose_rule(files: Sequence[Found], slug: str, who: Who, notes: list[str]) -> tuple[str, Claimer]:
    """The rule that knows the owner of most submissions, and the function that asks it; `notes` on what it doubts."""
    real = [found for found in files if not found.leftover]
    telling = (
        [f for f in real if is_notebook(f.path)] or [f for f in real if handed_in(f.path)] or list(files)
    )
    paths = [found.path for found in telling]
    wrapper = _wrapper(paths, slug)
    for level in range(wrapper, wrapper + _DEEPEST):
        for name in LMS:
            if _share(paths, wrapper, level, name, slug) > 0.5:
                return name, _by_lms(name, level, slug, files, paths, who, notes)
    checkouts = _checkouts(files, wrapper, slug)
    wrapper = min([wrapper, *(len(root) - 1 for root in checkouts)])
    return _by_names(paths, wrapper, slug, checkouts, notes)


def _by_names(
    paths: Sequence[PurePosixPath], wrapper: int, slug: str, checkouts: Collection[Parts], notes: list[str]
) -> tuple[str, Claimer]:
    """The rule of folders, or the one of files."""
    groups = _groups(paths, wrapper, slug)
    groups = {group for group in groups if not any(group[: len(root)] == root for root in checkouts)}
    groups |= {root[:depth] for root in checkouts for depth in range(wrapper + 1, len(root))}
    units: dict[Parts, list[Parts]] = defaultdict(list)
    for path in paths:
        unit = _unit(path, wrapper, groups)
        units[unit].append(path.parts[len(unit) :])
    in_folders = sum(any(inside) for inside in units.values())
    folders = 0 < len(units) <= 2 * in_folders
    nobodys = [str(PurePosixPath(*unit)) for unit in units if not person(unit[-1], slug)]
    if nobodys and len(paths) > 1 and (not folders or len(nobodys) == len(units)):
        shown = ", ".join(sorted(nobodys)[:5])
        notes.append(f"{shown}: called after nobody. Is all of this one student's? Then add --student NAME.")
    for unit, names in _people(units, slug).items():
        if len(names) > 1:
            shown = ", ".join(sorted({inside[0] for inside in units[unit]})[:5])
            notes.append(
                f"{PurePosixPath(*unit)} is taken for one student's; if it holds several ({shown}), give each a folder."
            )
    return ("folders" if folders else "files"), _plain(wrapper, groups, slug, folders)


def all_of(name: str) -> Claimer:
    """The rule of what one student handed in: every file is theirs, whatever it is called."""
    student = Student(printable(name).strip() or "unnamed")
    return lambda found: Claim(found, student, (found.modified,))


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
        if len(set(parts)) > 1 or any(rule.fullmatch(parts[0]) for rule in LMS.values()):
            break
        shared += 1
    if shared and _is_one_persons([path.parts[shared:] for path in paths], slug):
        shared -= 1
        while shared and not person(paths[0].parts[shared], slug):  # `ann/labs`
            shared -= 1
    return shared


def _is_one_persons(inside: Sequence[tuple[str, ...]], slug: str) -> bool:
    """Whether what lies in a folder is a person's: attempts, or the lab's notebook, and nothing called after others."""
    names = [person(parts[0], slug) for parts in inside]
    own = any(len(parts) == 1 and not name for parts, name in zip(inside, names, strict=True))
    own = own or all(is_attempt(parts[0]) for parts in inside)
    numbers = {only_number(parts[0], slug) for parts in inside}  # of a class whose names are hidden
    numbered = len(numbers) == len(inside) > 1 and all(numbers)
    return own and not any(names) and not numbered and not any(GRADESCOPE.fullmatch(p[0]) for p in inside)


def _checkouts(files: Sequence[Found], wrapper: int, slug: str) -> Collection[Parts]:
    """The folders of git that are a person's each, whatever they are called: those below no person's folder.

    One that holds everything may be the class's; it is a person's if it is called after the lab and somebody.
    """
    inside = (found.path.parts for found in files)
    roots = {parts[: parts.index(".git")] for parts in inside if ".git" in parts} - {()}
    whole = {root for root in roots if len(root) <= wrapper}
    if theirs := {root for root in whole if is_after_both(root[-1], slug)}:
        return theirs
    roots -= whole
    return {
        root
        for root in roots
        if not any(root[:depth] in roots for depth in range(wrapper + 1, len(root)))
        and all(is_collective(part, slug) or not person(part, slug) for part in root[wrapper:-1])
    }


def _lms_part(path: PurePosixPath, level: int, rule: str, slug: str) -> str:
    """The part of a path that has a rule's pattern, at this level or below folders that are no person's: `late`."""
    for part in path.parts[level:]:
        if LMS[rule].fullmatch(part):
            return part
        if person(part, slug) and not is_collective(part, slug):
            break
    return ""


def _share(paths: Sequence[PurePosixPath], wrapper: int, level: int, rule: str, slug: str) -> float:
    """The share of submissions whose names at `level` have the pattern; each at the outermost level counts as one."""
    votes: dict[str, list[bool]] = defaultdict(list)
    for path in paths:
        votes[path.parts[wrapper]].append(_lms_part(path, level, rule, slug) != "")
    return sum(sum(v) / len(v) for v in votes.values()) / len(votes) if votes else 0.0


def _groups(paths: Sequence[PurePosixPath], wrapper: int, slug: str) -> Collection[Parts]:
    """The folders that hold several people's: sections, days, those who were late; and such folders inside of these.

    One is such a folder if its name says so and somebody's is in it; or if somebody's is in it, and most folders beside
    it hold two people's or more. Those with one folder in them may be either, as long as they are not more than these.
    """
    groups: set[Parts] = set()
    inner = list(paths)
    for depth in range(wrapper + 1, wrapper + 1 + _DEEPEST):
        units: dict[Parts, list[Parts]] = defaultdict(list)
        for path in inner:
            units[path.parts[:depth]].append(path.parts[depth:])
        people = _people(units, slug)
        several = sum(len(names) > 1 for names in people.values())
        perhaps = sum(len(n) == 1 and all(len(inside) > 1 for inside in units[u]) for u, n in people.items())
        most = several * 2 > len(units) - perhaps and several >= perhaps
        called = {
            unit: _named(unit, [_below_collective(parts, slug) for parts in inside], slug)
            for unit, inside in units.items()
            if is_collective(unit[-1], slug)
        }
        if len(set().union(*called.values())) < 2 and len(called) > 1:  # `day 1/project`, `day 2/project`
            called = {}
        new = {unit for unit, names in people.items() if called.get(unit) or (most and names)}
        if not new:
            break
        groups |= new
        inner = [path for path in inner if path.parts[:depth] in new]
    return groups


def _below_collective(parts: Parts, slug: str) -> Parts:
    while len(parts) > 1 and is_collective(parts[0], slug):
        parts = parts[1:]
    return parts


def _unit(path: PurePosixPath, wrapper: int, groups: Collection[Parts]) -> Parts:
    """The folder or file that stands for a person: the outermost that holds no more than one person's."""
    end = wrapper + 1
    while path.parts[:end] in groups and end < len(path.parts):
        end += 1
    return path.parts[:end]


def _people(units: Mapping[Parts, Sequence[Parts]], slug: str) -> dict[Parts, set[str]]:
    """Whom the names in each folder are called after, without those that recur in other folders, as `project` does."""
    named = {unit: _named(unit, inside, slug) for unit, inside in units.items()}
    count = Counter(name for names in named.values() for name in names)
    return {unit: {name for name in names if count[name] == 1} for unit, names in named.items()}


def _named(unit: Parts, inside: Sequence[Parts], slug: str) -> set[str]:
    """Whom the names in a folder are called after, beside whom the folder is called after itself."""
    own = person_key(unit[-1], slug)
    keys = {person_key(parts[0], slug) for parts in inside if parts}
    return {key for key in keys if key and not (own and own in key)}


def _by_lms(
    rule: str,
    level: int,
    slug: str,
    files: Sequence[Found],
    paths: Sequence[PurePosixPath],
    who: Who,
    notes: list[str],
) -> Claimer:
    """The rule of an LMS, and for what has none of its names, as what came by mail, that of folders or files."""
    ask = asker(rule, {_lms_part(found.path, level, rule, slug): found for found in files}, who)
    rest = [path for path in paths if len(path.parts) > level and not _lms_part(path, level, rule, slug)]
    _, by_name = _by_names(rest, level, slug, (), notes)

    def claim(found: Found) -> Claim | None:
        if match := LMS[rule].fullmatch(_lms_part(found.path, level, rule, slug)):
            return ask(found, match)
        if not handed_in(found.path) or found.leftover:
            return None
        mine = by_name(found)
        if mine is None or not person(mine.student.name, slug):
            return None
        note = (
            f"{mine.student.name} has none of {rule}'s names; the student is named after the file or folder."
        )
        return replace(mine, note=note)

    return claim


def _plain(wrapper: int, groups: Collection[Parts], slug: str, folders: bool) -> Claimer:
    def claim(found: Found) -> Claim | None:
        unit = _unit(found.path, wrapper, groups)
        if len(unit) <= wrapper:
            return None
        name = person(unit[-1], slug)
        if len(found.path.parts) > len(unit):
            if unit[-1].startswith(".") or unit[-1] == "__MACOSX":
                return None  # it is of no person
            if not name and not handed_in(found.path):
                return None  # a text of the instructor's
            name = without_times(unit[-1])
        else:
            if not handed_in(found.path) or (found.leftover and "zip" not in found.leftover):
                return None
            if folders and not name:
                return None  # the lab itself, beside the students' folders
            name = name or found.path.name.split(".ipynb")[0]
        was_handed_in = "Working files" not in found.path.parts[: len(unit)]  # Teams' drafts
        return Claim(found, Student(name.strip() or "unnamed"), (was_handed_in, found.modified))

    return claim
