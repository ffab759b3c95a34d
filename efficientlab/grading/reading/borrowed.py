"""Answers that import from efficientlab what the lab itself does not: for a person to look at, never a silent zero.

The labs teach what some rooms of this package hold ready. A check cannot tell whose code gave a right output, so an
import that the solution's notebook does not have is reported, to the student as well, and costs no points.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from efficientlab.grading.reading.statements import parse_cell
from efficientlab.grading.reading.submission import Cell


def borrowed(cells: Sequence[Cell], solution: Sequence[Cell]) -> list[str]:
    """A sentence for each of `cells` that imports from efficientlab beyond the solution's notebook."""
    usual = {name for cell in solution for name in _imports(cell.source)}
    notes = []
    for cell in cells:
        if names := sorted(set(_imports(cell.source)) - usual):
            shown = ", ".join(names)[:200]
            notes.append(
                f"cell {cell.number} imports {shown}, which the lab does not: a person will look at it."
            )
    return notes


def _imports(source: str) -> Iterator[str]:
    try:
        body = parse_cell(source)
    except SyntaxError:
        return
    for node in (part for statement in body for part in ast.walk(statement)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if _is_ours(alias.name))
        elif isinstance(node, ast.ImportFrom) and _is_ours(node.module or ""):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _is_ours(module: str) -> bool:
    return module.split(".")[0] == "efficientlab"
