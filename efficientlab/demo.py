"""`make demo`: one lab from end to end, as its three kinds of user see it."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from efficientlab.authoring.build import source_path
from efficientlab.authoring.execute import execute
from efficientlab.authoring.source import read_source
from efficientlab.authoring.student import student_notebook
from efficientlab.environment import ROOT
from efficientlab.exercises.lab import Lab
from efficientlab.exercises.labs import find_lab
from efficientlab.grading.grade import grade
from efficientlab.grading.record import load_records

FOLDER = ROOT / "build" / "demo"

ENDLESS = "def clip_logits(backbone, video):\n    while True:\n        pass"
WRONG_DIRECTION = ROOT / "tests" / "mutants" / "lab4" / "4.2_other_direction.py"


def demo() -> int:
    """Run lab 4's solution in the `ci` profile, print its results, then grade six sample submissions.

    Returns 0 where every sample got exactly the points that it must.
    """
    lab = find_lab(4)
    FOLDER.mkdir(parents=True, exist_ok=True)
    solution = read_source(source_path(lab), lab)
    print(f"Lab {lab.number}, {lab.title}: running the solution in the ci profile …", flush=True)
    seconds = execute(solution, ROOT / "solutions")
    nbformat.write(solution, FOLDER / f"{lab.slug}.ipynb")
    for cell in solution.cells:
        if "result" in cell.metadata.get("tags", []):
            print("\n".join(output.text for output in cell.outputs if output.output_type == "stream"))
    print(
        f"The notebook took {seconds:.0f} s; with its outputs it is {FOLDER.relative_to(ROOT)}/{lab.slug}.ipynb\n"
    )
    print("Six sample submissions, as an LMS might export them:", flush=True)
    return grade_samples(lab, FOLDER)


def grade_samples(lab: Lab, folder: Path) -> int:
    """Grade the six samples in a sandbox; where this machine has none, without: they are our own code."""
    submissions, grades = folder / "submissions", folder / "grades"
    for old in (submissions, grades):
        shutil.rmtree(old, ignore_errors=True)
    expected = write_samples(lab, submissions)
    status = grade(submissions, lab, grades)
    if status == 2:
        print("Without a sandbox, as the samples are our own code:", file=sys.stderr)
        status = grade(submissions, lab, grades, sandbox="none")
    if status:
        return status
    for record in load_records(grades):
        lost = {e.id for e in record.exercises if e.earned is not None and e.earned < e.points}
        if lost != expected[record.student]:
            print(f"{record.student} lost {sorted(lost)}; it must lose {sorted(expected[record.student])}.")
            status = 1
    return status


def write_samples(lab: Lab, folder: Path) -> Mapping[str, set[str]]:
    """Write six submissions of lab 4 to `folder`; return the exercises that each of them must lose."""
    folder.mkdir(parents=True, exist_ok=True)
    solution = read_source(source_path(lab), lab)
    checked = [exercise.id for exercise in lab.exercises if exercise.check]
    first_half = [exercise.id for exercise in lab.exercises][: len(lab.exercises) // 2]

    def sample(solved: list[str], **changed: str) -> NotebookNode:
        notebook = student_notebook(solution, lab, solved)
        for cell in notebook.cells:
            grade_id = cell.metadata.get("nbgrader", {}).get("grade_id", "")
            cell.source = changed.get(grade_id.replace("-", "_"), cell.source)
        return notebook

    everything = [exercise.id for exercise in lab.exercises]
    samples = {
        "complete": (sample(everything), set()),
        "half": (sample(first_half), set(checked) - set(first_half)),
        "blank": (sample([]), set(checked)),
        "endless-loop": (sample(everything, ex_4_1=ENDLESS), {"4.1"}),
        "wrong-direction": (
            sample(everything, ex_4_2=WRONG_DIRECTION.read_text(encoding="utf-8")),
            {"4.2"},
        ),
        "lost-metadata": (_without_metadata(sample(everything)), set()),
    }
    for name, (notebook, _) in samples.items():
        nbformat.write(notebook, folder / f"{name}.ipynb")
    return {name: lost for name, (_, lost) in samples.items()}


def _without_metadata(notebook: NotebookNode) -> NotebookNode:
    """As copying the cells into a fresh notebook leaves it."""
    for number, cell in enumerate(notebook.cells):
        cell.metadata, cell.id = NotebookNode(), f"cell-{number}"
    return notebook
