"""Read a notebook that a student handed in: JSON with limits, exercises found by metadata or by name.

Nothing here runs the student's code. Colab, VS Code and copy-paste lose cell metadata, so an answer is a code
cell that carries the exercise's nbgrader id, or that defines the name which the exercise asks for.
"""

from __future__ import annotations

import ast
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from efficientlab.exercises.lab import Lab

MAX_BYTES = 50_000_000
MAX_CELLS = 2_000


class SubmissionError(Exception):
    """The file cannot be read as a submission at all; the message names the file and what to do."""


@dataclass(frozen=True)
class Cell:
    """One code cell of a submission. `exercises` are the ids that it answers; none for a cell of another kind."""

    number: int  # position in the notebook, from 1, as the student counts cells
    source: str
    exercises: tuple[str, ...] = ()


@dataclass(frozen=True)
class Submission:
    """A notebook's code cells, and what was unusual about it."""

    path: Path
    cells: tuple[Cell, ...]
    notes: tuple[str, ...] = field(default=())

    def answers(self, exercise_id: str) -> list[Cell]:
        """The cells that answer one exercise, in notebook order; of two definitions the last one counts."""
        return [cell for cell in self.cells if exercise_id in cell.exercises]


def read_submission(path: Path, lab: Lab) -> Submission:
    """Read `path` as a submission of `lab`; `SubmissionError` if it is no notebook or answers nothing."""
    if not path.is_file():
        raise SubmissionError(f"{path}: there is no such file.")
    if path.stat().st_size > MAX_BYTES:
        raise SubmissionError(
            f"{path}: the file has {path.stat().st_size / 1e6:.0f} MB, the limit is {MAX_BYTES / 1e6:.0f}; "
            "clear the notebook's outputs and hand it in again."
        )
    try:
        notebook = json.loads(path.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError) as error:  # no JSON, no UTF-8, or a number of thousands of digits
        raise SubmissionError(f"{path}: this is not a notebook (.ipynb is JSON; {error}).") from None
    return parse_notebook(notebook, lab, path)


def parse_notebook(notebook: Any, lab: Lab, path: Path) -> Submission:
    """Find the exercises of `lab` in a notebook's JSON."""
    cells = _code_cells(notebook, path)
    notes: list[str] = []
    found = []
    for number, source, grade_id in cells:
        code = _without_magics(source, number, notes)
        names = _defined_names(code)
        answered = tuple(
            exercise.id
            for exercise in lab.exercises
            if exercise.check and (grade_id == exercise.cell or exercise.check.name in names)
        )
        if answered or not (grade_id or "").startswith("check-"):
            found.append(Cell(number, code, answered))
    submission = Submission(path, tuple(found), tuple(notes))
    if not any(cell.exercises for cell in found):
        wanted = ", ".join(f"{e.check.name} ({e.id})" for e in lab.exercises if e.check)
        raise SubmissionError(
            f"{path}: no exercise of lab {lab.number} is in this notebook; it would define {wanted}."
        )
    return submission


def _code_cells(notebook: Any, path: Path) -> list[tuple[int, str, str | None]]:
    """(number, source, nbgrader id) of each code cell; tolerant about everything that does not matter."""
    cells = notebook.get("cells") if isinstance(notebook, dict) else None
    if not isinstance(cells, list):
        raise SubmissionError(f"{path}: this JSON has no list of cells, so it is no notebook of format 4.")
    if len(cells) > MAX_CELLS:
        raise SubmissionError(f"{path}: the notebook has {len(cells)} cells, the limit is {MAX_CELLS}.")
    code = []
    for number, cell in enumerate(cells, start=1):
        if not isinstance(cell, dict) or cell.get("cell_type") != "code":
            continue
        source = cell.get("source", "")
        if isinstance(source, list):
            source = "".join(part for part in source if isinstance(part, str))
        if not isinstance(source, str):
            continue
        metadata = cell.get("metadata")
        nbgrader = metadata.get("nbgrader") if isinstance(metadata, dict) else None
        grade_id = nbgrader.get("grade_id") if isinstance(nbgrader, dict) else None
        code.append((number, source.replace("\r\n", "\n"), grade_id if isinstance(grade_id, str) else None))
    return code


def _without_magics(source: str, number: int, notes: list[str]) -> str:
    """Blank the lines that only IPython understands, so that line numbers stay the student's."""
    lines = source.split("\n")
    if lines[0].startswith(("%%time", "%%capture")):
        lines[0] = "pass"  # they run the cell as it is
    if lines[0].startswith("%%"):
        notes.append(f"cell {number} is a {lines[0].split()[0]} cell and was skipped.")
        return ""
    for i, line in enumerate(lines):
        if re.match(r"\s*[%!]\s*\w", line) and not _continues(lines[:i]):
            notes.append(f"cell {number}, line {i + 1}: {line.strip()!r} was skipped.")
            lines[i] = re.match(r"\s*", line).group() + "pass"  # type: ignore[union-attr]
    return "\n".join(lines)


def _continues(before: list[str]) -> bool:
    """Whether the next line lies inside an open bracket or string (where % is an operator)."""
    try:
        ast.parse("\n".join(before))
    except SyntaxError as error:
        return "was never closed" in str(error) or "unterminated" in str(error)
    except (ValueError, RecursionError, MemoryError):
        return False
    return False


def _defined_names(code: str) -> set[str]:
    """Names that the cell defines at its top level; read by pattern where the cell does not parse."""
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        found = re.findall(r"^(?:(?:async\s+)?def|class)\s+(\w+)|^(\w+)\s*=[^=]", code, re.M)
        return {defined or assigned for defined, assigned in found}
    names: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign):
            names.update(target.id for target in node.targets if isinstance(target, ast.Name))
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value:
            names.add(node.target.id)
    return names
