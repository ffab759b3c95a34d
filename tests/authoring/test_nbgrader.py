"""The built labs go through nbgrader itself: generate_assignment, autograde, generate_feedback.

The notebook is the built one without its experiments, which train for minutes: every prelude, answer and check is in
it, with its metadata. The whole notebook goes the same way by the commands in docs/instructors.md.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode
from nbgrader.api import Gradebook
from nbgrader.apps import NbGraderAPI
from traitlets.config import Config

from efficientlab.authoring.build import source_path
from efficientlab.authoring.source import read_source
from efficientlab.authoring.student import student_notebook
from efficientlab.exercises.lab import Lab
from efficientlab.exercises.labs import find_lab
from efficientlab.grading.reading.statements import needed_by, parse_statements

pytestmark = pytest.mark.slow

LAB = find_lab(4)
NAME = "lab4"


def without_experiments(notebook: NotebookNode, lab: Lab) -> NotebookNode:
    """The cells that an answer or a check needs: what is graded, preludes, and imports that answers rely on."""
    cells = notebook.cells
    statements = [
        statement
        for i, cell in enumerate(cells)
        if cell.cell_type == "code"
        for statement in parse_statements(i, cell.source, f"<cell {i}>")
    ]
    kept = {
        i for i, c in enumerate(cells) if "nbgrader" in c.metadata or "prelude" in c.metadata.get("tags", [])
    }
    for exercise in lab.exercises:
        if exercise.check:
            kept |= {s.cell for s in needed_by(exercise.check.name, statements, len(cells))}
    notebook.cells = [cell for i, cell in enumerate(cells) if i in kept]
    return notebook


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course folder in which two students, one with the solution and one with the stub, were autograded."""
    root = tmp_path_factory.mktemp("course")
    patch = pytest.MonkeyPatch()
    patch.setenv("EFFICIENTLAB_PROFILE", "ci")
    patch.setenv("OMP_NUM_THREADS", "1")
    patch.setenv("JUPYTER_CONFIG_DIR", str(root / "config"))
    patch.setenv(
        "PATH", str(Path(sys.executable).parent), prepend=os.pathsep
    )  # nbgrader starts alembic by name
    source = without_experiments(read_source(source_path(LAB), LAB), LAB)
    put(source, root / "source" / NAME)
    config = Config()
    config.CourseDirectory.root = str(root)
    config.ExecutePreprocessor.timeout = 3600
    api = NbGraderAPI(config=config)
    generated = api.generate_assignment(NAME)
    assert generated["success"], generated["log"]
    released = root / "release" / NAME / f"{LAB.slug}.ipynb"
    put(student_notebook(source, LAB, [e.id for e in LAB.exercises]), root / "submitted" / "ann" / NAME)
    put(nbformat.read(released, 4), root / "submitted" / "bob" / NAME)
    for student in ("ann", "bob"):
        graded = api.autograde(NAME, student)
        assert graded["success"], graded["log"]
        feedback = api.generate_feedback(NAME, student)
        assert feedback["success"], feedback["log"]
    patch.undo()
    return root


def put(notebook: NotebookNode, folder: Path) -> None:
    folder.mkdir(parents=True)
    nbformat.write(notebook, folder / f"{LAB.slug}.ipynb")


def points(course: Path, student: str) -> dict[str, float]:
    with Gradebook(f"sqlite:///{course}/gradebook.db") as gradebook:
        notebook = gradebook.find_submission_notebook(LAB.slug, NAME, student)
        return {grade.name: grade.auto_score or 0.0 for grade in notebook.grades}


def test_the_solution_gets_every_autograded_point_and_the_stub_none(course: Path) -> None:
    checks = {f"check-{e.id.replace('.', '-')}": e.points for e in LAB.exercises if e.check}
    by_hand = {e.cell: 0.0 for e in LAB.exercises if e.check is None}
    assert points(course, "ann") == checks | by_hand
    assert set(points(course, "bob").values()) == {0.0}


def test_the_released_notebook_is_the_one_that_we_build(course: Path) -> None:
    """nbgrader's own generate_assignment, and ours, take out the same answers."""
    released = nbformat.read(course / "release" / NAME / f"{LAB.slug}.ipynb", 4)
    assert not any("SOLUTION" in cell.source or "MARK SCHEME" in cell.source for cell in released.cells)
    ours = student_notebook(read_source(source_path(LAB), LAB), LAB)
    kept = {cell.id: cell.source for cell in ours.cells}
    for cell in released.cells:
        if cell.metadata.get("nbgrader", {}).get("locked", False):
            assert kept[cell.id] == cell.source


def test_the_feedback_tells_what_failed(course: Path) -> None:
    page = (course / "feedback" / "bob" / NAME / f"{LAB.slug}.html").read_text()
    assert "NotImplementedError" in page
    assert "Exercise 4.2: write temporal_shift" in page or "YOUR CODE HERE" in page
