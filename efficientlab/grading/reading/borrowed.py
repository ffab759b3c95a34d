"""Answers that import from efficientlab what the lab itself does not: for a person to look at, never a silent zero.

The labs teach what some rooms of this package hold ready. A check cannot tell whose code gave a right output, so an
import that the solution's notebook does not have is reported, to the student as well, and costs no points.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence

from efficientlab.grading.reading.statements import parse_cell

MAX_CELLS = 10  # that are named one by one


def borrowed(imported: Mapping[int, Sequence[str]], usual: set[str]) -> list[str]:
    """A sentence for each cell that imports from efficientlab beyond the `usual`, which the solution does, too."""
    notes = []
    for number, names in imported.items():
        if more := sorted(set(names) - usual):
            shown = ", ".join(more)[:200]
            notes.append(f"cell {number} imports {shown}, which the lab does not: a person will look at it.")
    if len(notes) > MAX_CELLS:
        notes = [*notes[:MAX_CELLS], f"{len(notes) - MAX_CELLS} more cells import what the lab does not."]
    return notes


def imports(source: str) -> Iterator[str]:
    """What a cell imports of this package, by full names."""
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
