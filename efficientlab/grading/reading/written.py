"""What a student wrote for an exercise that a person reads, wherever beside its cell it stands.

The answer's own cell counts, and so does what the student added between the exercise's text and the next cell that was
handed out: a cell below or above, text in a code cell, a sentence put into the question itself.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from efficientlab.grading.reading.notebook import RawCell

STUB = "Your answer."
MAX_ANSWER = 20_000  # characters that a person reads of one answer
MAX_PICTURE = 3_000_000  # characters of base64
MAX_PICTURES = 8  # in one answer
_HEADING = re.compile(r"^#{1,6} ", re.M)
_INLINE = re.compile(r"data:(image/(?:png|jpeg|gif|webp));base64,([A-Za-z0-9+/\s]+={0,2})")


@dataclass(frozen=True)
class Answer:
    """A text that a person reads, and the pictures in it: (name, media type, base64)."""

    text: str = ""
    pictures: tuple[tuple[str, str, str], ...] = field(default=())


def written_answer(
    cell_id: str, exercise_id: str, cells: Sequence[RawCell], handed_out: frozenset[str]
) -> Answer:
    """The answer to one exercise. `handed_out` are the texts of the notebook that students got."""
    heading = re.compile(rf"^#+\s*Exercise {re.escape(exercise_id)}\b", re.M)
    marked = [i for i, cell in enumerate(cells) if cell_id in cell.ids]
    start = next((i for i, c in enumerate(cells) if c.kind != "code" and heading.search(c.source)), None)
    if start is None and not marked:
        return Answer()
    known = [i for i in (start, *marked) if i is not None]
    first, last = min(known), max(known)
    mine = list(range(first, last + 1))
    for i in range(last + 1, len(cells)):
        if _ends(cells[i], handed_out):
            break
        mine.append(i)
    parts, pictures = [], []
    for i in mine:
        cell = cells[i]
        text = cell.source.strip()
        if i == start:  # the question, and what was added to it
            text = _added(text, handed_out)
        elif i not in marked and (text in handed_out or (i < last and _asks(cell))):
            continue
        text = _without_stub(text)
        text, inline = _without_pictures(text)
        if text:
            parts.append(text)
        pictures += [(name, *picture) for name, picture in cell.pictures.items()] + inline
    kept = [p for p in pictures if len(p[2]) <= MAX_PICTURE][:MAX_PICTURES]
    if len(kept) < len(pictures):
        parts.append("(A picture was left out: see the notebook.)")
    if not parts and not kept and handed_out:
        parts = _elsewhere(exercise_id, cells, handed_out)
    text = "\n\n".join(parts).strip()
    if len(text) > MAX_ANSWER:
        text = f"{text[:MAX_ANSWER]}\n\n(Cut here: the answer has {len(text):,} characters.)"
    return Answer(text, tuple(kept))


def _elsewhere(exercise_id: str, cells: Sequence[RawCell], handed_out: frozenset[str]) -> list[str]:
    """The student's own texts with the exercise at a line's start: `Answer to 4.9: …` at the notebook's end."""
    word = r"(?:(?:answer|exercise|ex|question|q|task)s?\.?|to|for|[#*_>|:( \t-])*"
    named = re.compile(rf"^{word}{re.escape(exercise_id)}(?![\w.]*\d)", re.M | re.I)
    own = (c.source.strip() for c in cells if c.kind != "code" and c.source.strip() not in handed_out)
    return [
        text for text in own if named.search(text) and not any(text.startswith(t) for t in handed_out if t)
    ]


def _ends(cell: RawCell, handed_out: frozenset[str]) -> bool:
    """Whether the student's part is over: at a cell that was handed out, or, if nobody knows those, at a heading."""
    if _asks(cell):
        return True
    if not _without_stub(cell.source):
        return False
    if handed_out:
        return cell.source.strip() in handed_out or (cell.kind != "code" and _opens_section(cell, handed_out))
    return cell.kind != "code" and _HEADING.match(cell.source) is not None


def _opens_section(cell: RawCell, handed_out: frozenset[str]) -> bool:
    """A heading that was handed out, with a text below it that was edited."""
    line = cell.source.strip().split("\n", 1)[0]
    return _HEADING.match(line) is not None and any(text.startswith(f"{line}\n") for text in handed_out)


def _asks(cell: RawCell) -> bool:
    return any(i.startswith(("ex-", "check-")) for i in cell.ids)


def _added(text: str, handed_out: frozenset[str]) -> str:
    """What a question's cell holds beside the question; nothing where the question is not known."""
    question = max((t for t in handed_out if t and text.startswith(t)), key=len, default=None)
    return text.removeprefix(question).strip() if question else ""


def _without_stub(text: str) -> str:
    lines = [line for line in text.split("\n") if line.strip("*_ ") != STUB]
    return "\n".join(lines).strip()


def _without_pictures(text: str) -> tuple[str, list[tuple[str, str, str]]]:
    """The text without the pictures that Colab writes into it, and these."""
    found: list[tuple[str, str, str]] = []

    def take(match: re.Match[str]) -> str:
        name = f"picture {len(found) + 1}"
        found.append((name, match[1], "".join(match[2].split())))
        return name

    return _INLINE.sub(take, text), found
