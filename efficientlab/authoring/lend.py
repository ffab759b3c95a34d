"""The texts of a lab's answers as `lab.borrow` runs them: the prelude, and the statements that an answer needs."""

from __future__ import annotations

import ast

from nbformat import NotebookNode

from efficientlab.authoring.student import without_markers
from efficientlab.exercises.lab import Lab
from efficientlab.grading.reading.statements import needed_by, parse_statements
from efficientlab.grading.score import prelude_of


def answer_texts(notebook: NotebookNode, lab: Lab) -> dict[str, str]:
    """The text of each answer that a check asks for, from the solution's notebook, by exercise id."""
    prelude = prelude_of(notebook)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source not in prelude]
    sources = [without_markers(cell.source) for cell in cells]
    statements = [s for i, source in enumerate(sources) for s in parse_statements(i, source, f"<cell {i}>")]
    texts = {}
    for exercise in lab.exercises:
        if exercise.check is None:
            continue
        place = next(
            i
            for i, cell in enumerate(cells)
            if cell.metadata.get("nbgrader", {}).get("grade_id") == exercise.cell
        )
        needed = needed_by(exercise.check.name, statements, place)
        parts = [_lines(sources[s.cell], s.node) for s in needed]
        texts[exercise.id] = "\n\n".join([*prelude, *parts]) + "\n"
    return texts


def _lines(source: str, node: ast.stmt) -> str:
    """The lines of a statement, its decorators included."""
    decorators = getattr(node, "decorator_list", [])
    first = min([node.lineno, *(d.lineno for d in decorators)])
    return "\n".join(source.splitlines()[first - 1 : node.end_lineno])
