"""From a lab's source, `solutions/labN_slug.py`, to a notebook with headings, nbgrader metadata and stable ids.

The source is jupytext's percent format. Four keys on a cell mean something here:

- `tags=["prelude"]`   imports that every answer may rely on;
- `exercise="4.1"`     on markdown: the text of the exercise, which gets its heading from the exercise's data;
                       on code: the student's answer, with `### BEGIN SOLUTION` … `### END SOLUTION`;
- `check="4.1"`        the cell that checks it;
- `answer="4.9"`       markdown that the student writes and a person grades, with nbgrader's mark scheme in it.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import jupytext
from nbformat import NotebookNode

from efficientlab.authoring.colab import badge_cell, setup_cell
from efficientlab.exercises.contract import Exercise
from efficientlab.exercises.lab import Lab

KINDS = {
    "build": "build",
    "predict": "predict, then measure",
    "investigate": "investigate",
    "kernel": "kernel corner, bonus",
}


def read_source(path: Path, lab: Lab) -> NotebookNode:
    """The solution notebook of `lab`, without outputs; `ValueError` names a cell whose metadata is wrong."""
    notebook = jupytext.read(path, fmt="py:percent")
    notebook.cells = [badge_cell(lab.slug), *notebook.cells]
    setup = next((i for i, cell in enumerate(notebook.cells) if cell.cell_type == "code"), None)
    if setup is None:
        raise ValueError(f"{path}: the lab has no code cell.")
    notebook.cells.insert(setup, setup_cell())
    for cell in notebook.cells:
        _mark(cell, lab, path)
    _check_complete(notebook, lab, path)
    _number(notebook)
    notebook.metadata = NotebookNode(
        kernelspec=NotebookNode(display_name="Python 3 (ipykernel)", language="python", name="python3"),
        language_info=NotebookNode(name="python"),
        accelerator="GPU",
        colab=NotebookNode(name=f"{lab.slug}.ipynb", provenance=[]),
    )
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    return notebook


def heading(exercise: Exercise) -> str:
    """The two lines above an exercise's text: number and title, then kind, points, minutes and difficulty."""
    points = f"{'+' if exercise.bonus else ''}{exercise.points} points"
    stars = "★" * exercise.stars + "☆" * (3 - exercise.stars)
    return (
        f"### Exercise {exercise.id} · {exercise.title}\n\n"
        f"*{KINDS[exercise.kind]} · {points} · about {exercise.minutes} minutes · difficulty {stars}*\n\n"
    )


def _mark(cell: NotebookNode, lab: Lab, path: Path) -> None:
    """Turn the source's keys into headings and nbgrader metadata."""
    meta = cell.metadata
    meta.pop("lines_to_next_cell", None)
    roles = [role for role in ("exercise", "check", "answer") if role in meta]
    if not roles:
        return
    role = roles[0]
    try:
        exercise = lab[str(meta.pop(role))]
    except KeyError as error:
        raise ValueError(f"{path}: {error.args[0]}") from None
    if role == "exercise" and cell.cell_type == "markdown":
        cell.source = heading(exercise) + cell.source
        return
    flags: dict[str, dict[str, Any]] = {
        "exercise": {"grade": False, "solution": True, "locked": False},
        "check": {"grade": True, "solution": False, "locked": True, "points": exercise.points},
        "answer": {"grade": True, "solution": True, "locked": False, "points": exercise.points},
    }
    if role == "check":  # its one line is the same in every run, so nbval compares it
        meta["tags"] = ["nbval-check-output"]
    grade_id = f"check-{exercise.id.replace('.', '-')}" if role == "check" else exercise.cell
    meta["nbgrader"] = NotebookNode(
        schema_version=3, grade_id=grade_id, task=False, cell_type=cell.cell_type, **flags[role]
    )


def _check_complete(notebook: NotebookNode, lab: Lab, path: Path) -> None:
    """Every exercise has its answer cell, and its check cell unless a person reads it; each once."""
    ids = [cell.metadata.nbgrader.grade_id for cell in notebook.cells if "nbgrader" in cell.metadata]
    wanted = [e.cell for e in lab.exercises]
    wanted += [f"check-{e.id.replace('.', '-')}" for e in lab.exercises if e.check]
    for grade_id in sorted(set(ids) | set(wanted)):
        if ids.count(grade_id) != 1 or grade_id not in wanted:
            raise ValueError(
                f"{path}: {ids.count(grade_id)} cells are {grade_id}; there must be exactly one."
            )


def _number(notebook: NotebookNode) -> None:
    """Give each cell an id that depends on its text alone, so that an edit changes one id and no other."""
    seen: dict[str, int] = {}
    for cell in notebook.cells:
        key = cell.metadata.nbgrader.grade_id if "nbgrader" in cell.metadata else None
        if key is None:
            key = hashlib.sha256(f"{cell.cell_type}\n{cell.source}".encode()).hexdigest()[:10]
        seen[key] = seen.get(key, 0) + 1
        cell.id = key if seen[key] == 1 else f"{key}-{seen[key]}"
