"""`make demo`: one lab from end to end, as its three kinds of user see it."""

from __future__ import annotations

from pathlib import Path

import nbformat

from efficientlab.authoring.build import source_path
from efficientlab.authoring.execute import execute
from efficientlab.authoring.source import read_source
from efficientlab.authoring.student import student_notebook
from efficientlab.environment import ROOT
from efficientlab.exercises.lab import Lab
from efficientlab.exercises.labs import find_lab
from efficientlab.grading.report import check_notebooks

FOLDER = ROOT / "build" / "demo"


def demo() -> int:
    """Run lab 4's solution in the `ci` profile, print its results, then check three sample submissions."""
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
    print("Three sample submissions:", flush=True)
    return check_notebooks(write_samples(lab, FOLDER), lab)


def write_samples(lab: Lab, folder: Path) -> list[Path]:
    """Write a complete, a half and a blank submission of `lab` to `folder`; return their paths."""
    solution = read_source(source_path(lab), lab)
    ids = [exercise.id for exercise in lab.exercises]
    paths = []
    for name, solved in (("complete", ids), ("half", ids[: len(ids) // 2]), ("blank", [])):
        paths.append(folder / f"{name}.ipynb")
        nbformat.write(student_notebook(solution, lab, solved), paths[-1])
    return paths
