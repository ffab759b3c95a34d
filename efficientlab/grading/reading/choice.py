"""Of all that one student handed in, the notebook that counts: the last of those that hold most of this lab.

Where all were written at once, as a checkout and a zip leave them, times say nothing, and the fullest counts.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from efficientlab.files import replacing
from efficientlab.grading.reading.archive import ArchiveError
from efficientlab.grading.reading.glance import lab_in_name
from efficientlab.grading.reading.lms import Claim
from efficientlab.grading.reading.notebook import SubmissionError
from efficientlab.grading.reading.owners import is_notebook
from efficientlab.grading.reading.reader import Glance, Reader
from efficientlab.grading.record import Incoming

MOST = 60  # notebooks of one student that are looked into, the latest ones
SECONDS = 60.0  # for all of them together
AT_ONCE = 10.0  # seconds, in which a checkout or an upload writes its files
MAX_FILES = 8  # that a note names


@dataclass(frozen=True)
class _Seen:
    """A notebook, and what it is at first sight; None where it cannot be read."""

    claim: Claim
    glance: Glance | None

    def is_other(self, lab: int) -> bool:
        """Whether it says that it is of another lab."""
        says = lab_in_name(self.claim.found.path.name)
        if self.glance is not None and self.glance.lab is not None:
            says = self.glance.lab
        return says not in (None, lab)


def keep_one(identity: str, claims: Sequence[Claim], folder: Path, lab: int, reader: Reader) -> Incoming:
    """Write the notebook that counts to `folder`; the others, and what else was odd, are named in the notes."""
    path = folder / f"{identity}.ipynb"
    real = [c for c in claims if not c.found.leftover]
    files = [c for c in real if not c.typed]
    notebooks = [c for c in files if is_notebook(c.found.path)]
    ordered = sorted(
        notebooks or files or real or claims, key=lambda c: (c.order, _by_number(c.found.path)), reverse=True
    )
    notes: list[str] = []
    chosen = _choose(ordered, path, lab, reader, notes) if len(notebooks) > 1 else ordered[0]
    data, refused = _content(chosen, ordered)
    if not refused and not notebooks:
        notes.append(f"the file {chosen.found.path.name} is not called .ipynb.")
    if len(notebooks) > 1:
        others = [str(c.found.path) for c in ordered if c is not chosen]
        named = _listed(others)
        notes.append(f"{len(ordered)} notebooks were handed in; {chosen.found.path} counts, not {named}.")
    beside = [c.found.path.name for c in files if c.found.path.parent == chosen.found.path.parent]
    if modules := sorted(name for name in beside if name.endswith(".py") and notebooks):
        notes.append(
            f"beside the notebook lies {_listed(modules)}, which answers cannot import: only it is read."
        )
    notes += [chosen.note] if chosen.note else []
    with replacing(path) as part:
        part.write_bytes(data)
    digest = hashlib.sha256(data + refused.encode()).hexdigest()
    about = (identity, chosen.student.name, path, digest, chosen.submitted)
    return Incoming(*about, tuple(notes), refused)


def _by_number(path: PurePosixPath) -> list[str]:
    """A key that has `Version 10` behind `Version 9`."""
    return [part.zfill(20) if part.isdecimal() else part for part in re.split(r"(\d+)", str(path))]


def _content(chosen: Claim, ordered: Sequence[Claim]) -> tuple[bytes, str]:
    """The bytes to be graded, or a sentence that says why there are none."""
    if chosen.found.leftover:
        left = {c.found.leftover for c in ordered}
        names = _listed([str(c.found.path) for c in ordered])
        return b"", f"no notebook was handed in, only what is {' or '.join(sorted(left))}: {names}."
    if chosen.typed:
        return b"", f"{chosen.typed}, and no file was handed in; hand in the notebook."
    try:
        return chosen.found.read(), ""
    except ArchiveError as error:
        return b"", f"{chosen.found.path} could not be read: {error}."


def _choose(ordered: Sequence[Claim], path: Path, lab: int, reader: Reader, notes: list[str]) -> Claim:
    """The notebook that counts, of several; `ordered` has the latest first."""
    ends = time.monotonic() + SECONDS
    seen: list[_Seen] = []
    for claim in ordered[:MOST]:
        if time.monotonic() > ends:
            break
        seen.append(_Seen(claim, _glance(claim, path, reader)))
    if len(ordered) > len(seen):
        notes.append(f"only the latest {len(seen)} of {len(ordered)} notebooks were looked into.")
    ours = [one for one in seen if not one.is_other(lab) and one.glance and one.glance.defined]
    if not ours:  # none of this lab: what is read of the latest says what is wrong
        mine = [one for one in seen if not one.is_other(lab)]
        return (mine or seen)[0].claim
    if passed := [str(one.claim.found.path) for one in seen if one not in ours]:
        notes.append(f"passed over, as no exercise of this lab is in it: {_listed(passed)}.")
    most = max(_fullness(one) for one in ours)
    last = next(one for one in ours if _fullness(one) * 2 >= most)  # a later one with less is a scratch copy
    return max((one for one in ours if _at_once(one.claim, last.claim)), key=_fullness).claim


def _at_once(one: Claim, other: Claim) -> bool:
    """Whether nothing but a few seconds tells which of two was handed in first."""
    return one.order[:-1] == other.order[:-1] and abs(one.order[-1] - other.order[-1]) <= AT_ONCE


def _fullness(one: _Seen) -> float:
    """How much of the lab is done in a notebook; a stub counts next to nothing."""
    assert one.glance is not None
    return one.glance.answered + 0.01 * one.glance.defined


def _glance(claim: Claim, path: Path, reader: Reader) -> Glance | None:
    try:
        data = claim.found.read()
    except ArchiveError:
        return None
    with replacing(path) as part:
        part.write_bytes(data)
    try:
        return reader.glance(path)
    except SubmissionError:
        return None


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - MAX_FILES} more" if len(names) > MAX_FILES else ""
    return ", ".join(names[:MAX_FILES]) + more
