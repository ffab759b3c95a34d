"""Before release: the solution gets all points, the stub none, and each planted slip costs exactly its exercise.

All of them are graded by the very grader that students meet, sandbox included: each is a submission of its own.
"""

from __future__ import annotations

import copy
import hashlib
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from tqdm.auto import tqdm

from efficientlab.authoring.build import source_path
from efficientlab.authoring.recording import alternative_files, mutant_files, slip_sentence
from efficientlab.authoring.source import read_source
from efficientlab.authoring.student import student_notebook
from efficientlab.exercises.lab import Lab
from efficientlab.grading.batch import grade_batch
from efficientlab.grading.reading.notebook import SubmissionError
from efficientlab.grading.record import Incoming, Record, record_id
from efficientlab.grading.sandbox.contract import SandboxError


@dataclass(frozen=True)
class Sample:
    """A submission of which it is known what it must lose, and which slip its page must name."""

    name: str
    notebook: NotebookNode
    loses: frozenset[str]
    slip: str | None = None


def validate(lab: Lab, sandbox: str = "auto") -> int:
    """Grade the solution, the stub, every right alternative and every slip of `lab`; print what is not as it must be.

    Returns 0 where all is well, 1 where a sample is graded otherwise, 2 where nothing could be graded.
    """
    samples = list(samples_of(lab))
    with tempfile.TemporaryDirectory(prefix="efficientlab-validate-") as folder:
        try:
            records = {r.id: r for r in _graded(samples, lab, Path(folder), sandbox)}
        except (SandboxError, SubmissionError) as error:
            print(f"efficientlab validate: {error}", file=sys.stderr)
            return 2
    wrong = [line for sample in samples for line in problems(sample, records[record_id(sample.name)])]
    slips = sum(sample.slip is not None for sample in samples)
    checked = sum(e.points for e in lab.exercises if e.check and not e.bonus)
    by_hand = sum(e.points for e in lab.exercises if e.check is None)
    print(
        f"Lab {lab.number}, {lab.title}: {checked} points checked by code, {by_hand} read by a person, "
        f"{len(lab.exercises)} exercises."
    )
    print(f"the solution: {_points(records['solution'])}; the stub: {_points(records['stub'])}")
    print(
        f"{len(samples) - slips - 2} other right answers, {slips} planted slips: {len(wrong)} not as they must be"
    )
    print("\n".join(wrong), end="\n" if wrong else "")
    return 1 if wrong else 0


def samples_of(lab: Lab) -> Iterator[Sample]:
    """The solution, the stub, the right alternatives, and the slips, each in an otherwise right notebook."""
    source = read_source(source_path(lab), lab)
    complete = student_notebook(source, lab, [exercise.id for exercise in lab.exercises])
    checked = frozenset(exercise.id for exercise in lab.exercises if exercise.check)
    yield Sample("solution", complete, frozenset())
    yield Sample("stub", student_notebook(source, lab), checked)
    for exercise in lab.exercises:
        if exercise.check is None:
            continue
        for path in alternative_files(lab, exercise):
            yield Sample(f"right-{path.stem}", _with(complete, exercise.cell, path), frozenset())
        for path in mutant_files(lab, exercise):
            loses = frozenset({exercise.id})
            yield Sample(
                f"slip-{path.stem}", _with(complete, exercise.cell, path), loses, slip_sentence(path)
            )


def problems(sample: Sample, record: Record) -> list[str]:
    """What the grader made of a sample that it should not have; empty when all is well."""
    lines = [f"{sample.name}: {fault}" for fault in record.faults]
    for result in record.exercises:
        if result.earned is None:
            continue
        should = 0 if result.id in sample.loses else result.points
        if result.earned != should:
            lines.append(f"{sample.name}: {result.id} got {result.earned}, not {should}: {result.message}")
        elif sample.slip and result.id in sample.loses and result.slip != sample.slip:
            lines.append(f"{sample.name}: {result.id} does not name its slip but says: {result.message}")
    return lines


def _graded(samples: list[Sample], lab: Lab, folder: Path, sandbox: str) -> Iterator[Record]:
    incoming = []
    for sample in samples:
        path = folder / f"{sample.name}.ipynb"
        nbformat.write(sample.notebook, path)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        incoming.append(Incoming(record_id(sample.name), sample.name, path, digest))
    arriving = grade_batch(incoming, lab, folder / "grades", sandbox=sandbox)
    yield from tqdm(arriving, total=len(incoming), desc=f"lab {lab.number}", unit="notebook")


def _with(complete: NotebookNode, cell_id: str, answer: Path) -> NotebookNode:
    """The complete notebook with the text of `answer` in one of its answer cells."""
    notebook = copy.deepcopy(complete)
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("grade_id") == cell_id:
            cell.source = answer.read_text(encoding="utf-8")
    return notebook


def _points(record: Record) -> str:
    return f"{record.points} of {record.checkable} points and {record.bonus} bonus"
