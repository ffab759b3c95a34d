"""From the solution notebook to the student's: nbgrader's own preprocessors, run in process."""

from __future__ import annotations

import copy
import re
from collections.abc import Container

from nbformat import NotebookNode
from nbgrader.preprocessors import ClearMarkScheme, ClearOutput, ClearSolutions, ComputeChecksums, LockCells
from traitlets.config import Config

from efficientlab.exercises.lab import Lab


def student_notebook(solution: NotebookNode, lab: Lab, solved: Container[str] = ()) -> NotebookNode:
    """The notebook that students get, with None for each number of a guess.

    Exercises in `solved` keep their answer, which makes sample submissions.
    """
    notebook = copy.deepcopy(solution)
    resources: dict[str, str] = {}
    exercises = {exercise.cell: exercise for exercise in lab.exercises}
    for index, cell in enumerate(notebook.cells):
        if "guess" in cell.metadata.get("tags", []):
            cell.source = re.sub(r'(?<=": )[\d.]+', "None", cell.source)
        exercise = exercises.get(cell.metadata.get("nbgrader", {}).get("grade_id"))
        if exercise is None:
            continue
        if exercise.id in solved:
            cell.source = without_markers(cell.source)
            continue
        what = f"write {exercise.check.name}" if exercise.check else "write your answer"
        stub = (
            f'raise NotImplementedError("Exercise {exercise.id}: {what}, then run this cell and its check.")'
        )
        clear = ClearSolutions(
            config=Config(ClearSolutions={"code_stub": {"python": stub}, "text_stub": "*Your answer.*"})
        )
        resources["language"] = "python"
        notebook.cells[index], _ = clear.preprocess_cell(cell, resources, index)
    for step in (ClearMarkScheme(), ClearOutput(), LockCells(), ComputeChecksums()):
        notebook, _ = step.preprocess(notebook, resources)
    return notebook


def without_markers(source: str) -> str:
    """A solved answer as a student would leave it: no solution markers, no mark scheme."""
    source = re.sub(r"\n*=== BEGIN MARK SCHEME ===.*?=== END MARK SCHEME ===", "", source, flags=re.S)
    return re.sub(r"[ \t]*### (BEGIN|END) SOLUTION\n?", "", source).rstrip("\n")
