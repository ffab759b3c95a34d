"""A lab's core path, as the notebook's *How to work* names it: its sections, and what is left out of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from nbformat import NotebookNode

from efficientlab.authoring.site.labs import how_to_work
from efficientlab.exercises.lab import Lab

RANGES = re.compile(r"[Ss]ections? (\d+(?:(?: to |, | and |, and (?:section )?)\d+)*)")
CLOSING = -1  # what has passed, and what to take along


def core_sections(lab: Lab) -> set[int]:
    """The numbers of the first sections that *How to work* names; 0 is what stands before the first one."""
    match = RANGES.search(" ".join(how_to_work(lab).split()))
    assert match, f"lab {lab.number} does not say which sections are its core path"
    sections = {0}
    for part in re.split(r",| and ", match[1]):
        ends = [int(number) for number in re.findall(r"\d+", part)]
        sections |= set(range(ends[0], ends[-1] + 1)) if ends else set()
    return sections


def left_out(lab: Lab) -> set[str]:
    """The exercises that *How to work* names in brackets: they stand in the core and are no part of it."""
    brackets = re.findall(r"\(([^)]*)\)", how_to_work(lab))
    return {name for text in brackets for name in re.findall(rf"\b{lab.number}\.\d+", text)}


def by_section(cells: Sequence[NotebookNode]) -> Iterator[tuple[int, str, NotebookNode]]:
    """(number of the section, text, its cell); a cell that stands in several sections comes once for each."""
    section = 0
    for cell in cells:
        if cell.cell_type != "markdown":
            yield section, cell.source, cell
            continue
        for text in re.split(r"^(?=## )", cell.source, flags=re.M):
            if text.startswith("## "):
                number = re.match(r"## (\d+) ·", text)
                section = int(number[1]) if number else CLOSING
            yield section, text, cell
