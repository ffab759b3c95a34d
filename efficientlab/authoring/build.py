"""One source, three artefacts: the goldens, the student's notebook, the executed solution."""

from __future__ import annotations

import ast
import base64
from pathlib import Path

import nbformat
from IPython.core.inputtransformer2 import TransformerManager
from nbformat import NotebookNode

from efficientlab.authoring.colab import is_setup, with_repository
from efficientlab.authoring.execute import execute, tidy_outputs
from efficientlab.authoring.lend import answer_texts
from efficientlab.authoring.recording import record_cases
from efficientlab.authoring.source import read_source
from efficientlab.authoring.student import student_notebook
from efficientlab.environment import ROOT
from efficientlab.exercises import borrow, goldens
from efficientlab.exercises.contract import Case, Values, close
from efficientlab.exercises.lab import Lab
from efficientlab.files import replacing, write_text

MAX_SOLUTION_BYTES = 400_000


def source_path(lab: Lab) -> Path:
    return ROOT / "solutions" / f"{lab.slug}.py"


def build(lab: Lab, run: bool = False) -> list[str]:
    """Make everything that comes from `solutions/SLUG.py`; return a line for each file written.

    The solution is executed where its code changed since it was last executed, or where `run` asks for it.
    """
    solution = read_source(source_path(lab), lab)
    lines = [f"{goldens.save(lab.slug, record_cases(solution, lab)).relative_to(ROOT)}: recorded"]
    lines.append(f"{borrow.pack(lab.slug, answer_texts(solution, lab)).relative_to(ROOT)}: written")
    student = ROOT / "labs" / f"{lab.slug}.ipynb"
    _write(student_notebook(solution, lab), student)
    lines.append(f"{student.relative_to(ROOT)}: written")
    path = ROOT / "solutions" / f"{lab.slug}.ipynb"
    if run or not _keep_outputs(solution, path):
        seconds = execute(solution, ROOT / "solutions")
        tidy_outputs(solution)
        lines.append(f"{path.relative_to(ROOT)}: executed in {seconds:.0f} s")
    else:
        lines.append(f"{path.relative_to(ROOT)}: text updated, outputs kept (no code changed)")
    size = len(nbformat.writes(solution).encode())
    if size > MAX_SOLUTION_BYTES:
        raise ValueError(
            f"{path.name} would have {size:,} bytes, the limit is {MAX_SOLUTION_BYTES:,}; make its pictures smaller."
        )
    _write(solution, path)
    cover = ROOT / "docs" / f"lab{lab.number}.png"
    with replacing(cover) as part:
        part.write_bytes(cover_picture(solution))
    lines.append(f"{cover.relative_to(ROOT)}: written")
    readme = ROOT / "README.md"
    text = readme.read_text(encoding="utf-8")
    if (linked := with_repository(text)) != text:
        write_text(readme, linked)
        lines.append("README.md: links lead to the repository of pyproject.toml")
    return lines


def cover_picture(solution: NotebookNode) -> bytes:
    """The picture that stands for the lab in the README: the output of the cell tagged `cover`."""
    for cell in solution.cells:
        if "cover" in cell.metadata.get("tags", []):
            for output in cell.outputs:
                if "image/png" in output.get("data", {}):
                    return base64.b64decode(output.data["image/png"])
    raise ValueError("no cell with the tag `cover` has a picture as its output.")


def stale(lab: Lab) -> list[str]:
    """What is committed and differs from what the source builds, one line each; empty when all is well."""
    solution = read_source(source_path(lab), lab)
    committed = ROOT / "solutions" / f"{lab.slug}.ipynb"
    student = ROOT / "labs" / f"{lab.slug}.ipynb"
    problems = []
    if not student.exists() or _text(nbformat.read(student, 4)) != _text(student_notebook(solution, lab)):
        problems.append(f"{student.relative_to(ROOT)} is not what {source_path(lab).name} builds")
    if not committed.exists() or not _keep_outputs(solution, committed):
        problems.append(f"{committed.relative_to(ROOT)} is not what {source_path(lab).name} builds")
    elif _text(nbformat.read(committed, 4)) != _text(solution):
        problems.append(
            f"{committed.relative_to(ROOT)} has text that is not what {source_path(lab).name} builds"
        )
    lent = borrow.FOLDER / f"{lab.slug}.json"
    if not lent.exists() or borrow.unpack(lab.slug) != answer_texts(solution, lab):
        problems.append(f"{lent.relative_to(ROOT)} does not hold the answers of {source_path(lab).name}")
    path = goldens.FOLDER / f"{lab.slug}.safetensors"
    if not path.exists() or not same_cases(goldens.load(lab.slug), record_cases(solution, lab)):
        problems.append(f"{path.relative_to(ROOT)} is not what the solution and the planted slips answer")
    return problems


def same_cases(kept: dict[str, list[Case]], now: dict[str, list[Case]]) -> bool:
    """Whether the recorded cases are those that would be recorded now, up to rounding."""

    def same(a: Values | str, b: Values | str) -> bool:
        if isinstance(a, str) or isinstance(b, str):
            return a == b
        return a.keys() == b.keys() and all(close(a[key], b[key]) for key in a)

    return {key: len(cases) for key, cases in kept.items()} == {
        key: len(cases) for key, cases in now.items()
    } and all(
        same(a.inputs, b.inputs)
        and same(a.expected, b.expected)
        and a.slips.keys() == b.slips.keys()
        and all(same(a.slips[slip], b.slips[slip]) for slip in a.slips)
        for key in kept
        for a, b in zip(kept[key], now[key], strict=True)
    )


def _keep_outputs(fresh: NotebookNode, path: Path) -> bool:
    """Copy outputs from the executed notebook at `path` if its code is the same; whether that was possible."""
    if not path.exists():
        return False
    old = [cell for cell in nbformat.read(path, 4).cells if cell.cell_type == "code"]
    new = [cell for cell in fresh.cells if cell.cell_type == "code"]
    if [_code(c) for c in old if not is_setup(c)] != [_code(c) for c in new if not is_setup(c)]:
        return False  # the set-up only checks and installs: no output depends on it
    if len(old) != len(new) or any(c.execution_count is None for c in old):
        return False
    for ours, theirs in zip(new, old, strict=True):
        ours.outputs, ours.execution_count = theirs.outputs, theirs.execution_count
    return True


def _code(cell: NotebookNode) -> str:
    """What a cell does, without its layout and its comments: no output depends on them."""
    return ast.dump(ast.parse(TransformerManager().transform_cell(cell.source)))


def _text(notebook: NotebookNode) -> str:
    return nbformat.writes(notebook, 4)


def _write(notebook: NotebookNode, path: Path) -> None:
    nbformat.validate(notebook)
    write_text(path, _text(notebook) + "\n")
