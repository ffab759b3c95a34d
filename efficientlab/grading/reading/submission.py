"""Read a notebook that a student handed in: JSON with limits, exercises found by metadata or by name.

Nothing here runs the student's code. Colab, VS Code and copy-paste lose cell metadata, so an answer is a code
cell that carries the exercise's nbgrader id, or that defines the name which the exercise asks for. An answer that a
person reads is found by its id, or below the exercise's heading.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from efficientlab.exercises.lab import Lab
from efficientlab.grading.reading.magics import plain_python
from efficientlab.grading.reading.notebook import RawCell, SubmissionError, load_notebook, raw_cells
from efficientlab.grading.reading.statements import bound_names, parse_cell

__all__ = ["Cell", "Submission", "SubmissionError", "parse_notebook", "read_submission"]

MAX_NOTES = 20
MAX_CELL = 100_000  # characters of one code cell: its syntax tree takes a thousand times as many bytes
MAX_CODE = 300_000  # characters of all code cells
_HEADING = re.compile(r"^#{1,6} ", re.M)


@dataclass(frozen=True)
class Cell:
    """One code cell of a submission. `exercises` are the ids that it answers; none for a cell of another kind."""

    number: int  # position in the notebook, from 1, as the student counts cells
    source: str
    exercises: tuple[str, ...] = ()


@dataclass(frozen=True)
class Submission:
    """A notebook's code cells, the answers that a person reads (by exercise id), and what was unusual about it."""

    path: Path
    cells: tuple[Cell, ...]
    notes: tuple[str, ...] = field(default=())
    written: Mapping[str, str] = field(default_factory=dict)

    def answers(self, exercise_id: str) -> list[Cell]:
        """The cells that answer one exercise, in notebook order; of two definitions the last one counts."""
        return [cell for cell in self.cells if exercise_id in cell.exercises]


def read_submission(path: Path, lab: Lab) -> Submission:
    """Read `path` as a submission of `lab`; `SubmissionError` if it is no notebook or answers nothing."""
    return parse_notebook(load_notebook(path), lab, path)


def parse_notebook(notebook: Any, lab: Lab, path: Path) -> Submission:
    """Find the exercises of `lab` in a notebook's JSON."""
    cells, notes = raw_cells(notebook, path)
    found = []
    read = 0
    for cell in cells:
        if cell.kind != "code":
            continue
        if len(cell.source) > MAX_CELL or read + len(cell.source) > MAX_CODE:
            size = f"{len(cell.source):,} characters"
            notes.append(f"cell {cell.number} was not read, as it has {size}: keep data in a file")
            continue
        read += len(cell.source)
        source, skipped = plain_python(cell.source)
        where = f"cell {cell.number}"
        notes += [f"{where} {note}" if note.startswith("is ") else f"{where}, {note}" for note in skipped]
        names = _defined_names(source)
        answered = tuple(
            exercise.id
            for exercise in lab.exercises
            if exercise.check and (exercise.cell in cell.ids or exercise.check.name in names)
        )
        found.append((Cell(cell.number, source, answered), any(i.startswith("check-") for i in cell.ids)))
    code = _without_checks(found)
    written = {e.id: _written(e.cell, e.id, cells) for e in lab.exercises if e.check is None}
    if not any(cell.exercises for cell in code) and not any(written.values()):
        wanted = ", ".join(f"{e.check.name} ({e.id})" for e in lab.exercises if e.check)
        raise SubmissionError(
            f"{path}: no exercise of lab {lab.number} is in this notebook; it would define {wanted}."
        )
    if len(notes) > MAX_NOTES:
        notes = [*notes[:MAX_NOTES], f"{len(notes) - MAX_NOTES} more lines of this kind were skipped"]
    return Submission(path, tuple(code), tuple(f"{note}." for note in notes), written)


def _without_checks(found: list[tuple[Cell, bool]]) -> list[Cell]:
    """The cells without the instructor's checks, which students edit and delete; one that took an answer in counts."""
    elsewhere = {exercise for cell, is_check in found if not is_check for exercise in cell.exercises}
    kept = []
    for cell, is_check in found:
        mine = tuple(e for e in cell.exercises if e not in elsewhere) if is_check else cell.exercises
        if mine or not is_check:
            kept.append(Cell(cell.number, cell.source, mine))
    return kept


def _written(cell_id: str, exercise_id: str, cells: list[RawCell]) -> str:
    """What the student wrote for an exercise that a person reads: its cell, or the cells below its heading."""
    marked = [cell.source for cell in cells if cell_id in cell.ids]
    if marked:
        return "\n\n".join(marked).strip()
    heading = re.compile(rf"^#+\s*Exercise {re.escape(exercise_id)}\b", re.M)
    start = next((i for i, c in enumerate(cells) if c.kind != "code" and heading.search(c.source)), None)
    if start is None:
        return ""
    below = []
    for cell in cells[start + 1 :]:
        if cell.kind != "code" and _HEADING.match(cell.source):
            break
        below.append(cell.source)
    return "\n\n".join(below).strip()


def _defined_names(code: str) -> set[str]:
    """Names that the cell defines at its top level; read by pattern where the cell does not parse."""
    try:
        return {name for node in parse_cell(code) for name in bound_names(node)}
    except SyntaxError:
        found = re.findall(r"^(?:(?:async[ \t]+)?def|class)[ \t]+(\w+)|^(\w+)[ \t]*=[^=]", code, re.M)
        return {defined or assigned for defined, assigned in found}
