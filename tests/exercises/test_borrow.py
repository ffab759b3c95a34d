"""A borrowed answer works, costs its points, says so in the summary and in the grade, and never passes a check."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from nbformat import NotebookNode

from efficientlab.authoring.build import source_path
from efficientlab.authoring.lend import answer_texts
from efficientlab.authoring.source import read_source
from efficientlab.authoring.student import student_notebook
from efficientlab.exercises import borrow
from efficientlab.exercises.borrow import Borrowed
from efficientlab.exercises.contract import run_check
from efficientlab.exercises.lab import Lab
from efficientlab.exercises.labs import MODULES, find_lab
from efficientlab.exercises.student import local_student
from efficientlab.grading.grader import Grader, Plan
from efficientlab.grading.reading.submission import read_submission
from efficientlab.grading.record import Incoming, Record, record_id
from efficientlab.grading.reporting.reports import SENTENCES
from efficientlab.grading.score import Reference, score


@pytest.fixture
def lab(monkeypatch: pytest.MonkeyPatch) -> Lab:
    """Lab 4, as at the start of a session."""
    lab = find_lab(4)
    for name in ("passed", "predictions", "lent"):
        monkeypatch.setattr(lab, name, type(getattr(lab, name))())
    return lab


@pytest.mark.parametrize(
    "number", [pytest.param(n, marks=[pytest.mark.slow] if n != 4 else []) for n in MODULES]
)
def test_what_is_lent_is_the_solution_and_passes_the_check(number: int) -> None:
    lab = find_lab(number)
    texts = answer_texts(read_source(source_path(lab), lab), lab)
    assert borrow.unpack(lab.slug) == texts
    for exercise in lab.exercises:
        if exercise.check is None or (exercise.kind == "kernel" and find_spec("triton") is None):
            continue
        answer = borrow.hand_out(lab.slug, exercise.id, exercise.check.name)
        recorded = lab.recorded(exercise.id)[:1]
        assert run_check(exercise.check, local_student(exercise.check, answer), recorded) == 1


@pytest.mark.parametrize("number", MODULES)
def test_nobody_reads_an_answer_by_accident(number: int) -> None:
    lab = find_lab(number)
    packed = (borrow.FOLDER / f"{lab.slug}.json").read_text()
    lines = [line.strip() for text in borrow.unpack(lab.slug).values() for line in text.splitlines()]
    assert not [line for line in lines if len(line) > 12 and line in packed]


def test_a_section_goes_on_and_the_points_do_not(lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    shift = lab.borrow("4.2")
    lab.check("4.2", shift)
    lab.needs("4.2")
    out = capsys.readouterr().out
    assert out.count("Exercise 4.2 is borrowed: 0 points") == 2
    assert "4.2" not in lab.passed
    assert "borrowed" in repr(lab.summary())
    assert lab.summary().total.startswith("0 of")


def test_an_answer_of_ones_own_takes_the_borrowed_ones_place(lab: Lab) -> None:
    borrowed = lab.borrow("4.2")
    lab.check("4.2", lambda *given, **options: borrowed(*given, **options))
    assert "4.2" in lab.passed
    assert "borrowed" not in repr(lab.summary())


def test_a_waiting_section_says_how_to_go_on(lab: Lab) -> None:
    with pytest.raises(Exception, match=r'temporal_shift = lab\.borrow\("4\.2"\)` for no points'):
        lab.needs("4.2")


def test_what_a_person_reads_cannot_be_borrowed(lab: Lab) -> None:
    with pytest.raises(ValueError, match="nothing to borrow"):
        lab.borrow("4.9")


def test_a_copy_that_lends_nothing_says_so(lab: Lab, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(borrow, "unpack", lambda slug: UNPACK(slug, tmp_path))
    with pytest.raises(Borrowed, match="not lent in this copy"):
        lab.borrow("4.2")


UNPACK = borrow.unpack


def borrowing(text: str) -> NotebookNode:
    """The complete lab 4, with `text` as the answer to 4.2."""
    lab = find_lab(4)
    notebook = copy.deepcopy(
        student_notebook(read_source(source_path(lab), lab), lab, [e.id for e in lab.exercises])
    )
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("grade_id") == lab["4.2"].cell:
            cell.source = text
    return notebook


WAYS = {
    "plainly": 'temporal_shift = lab.borrow("4.2")\n',
    "inside": 'def temporal_shift(*given, **options):\n    return lab.borrow("4.2")(*given, **options)\n',
    "by another name": 'give = getattr(lab, "bor" + "row")\ntemporal_shift = give("4.2")\n',
}


def handed_in(way: str, folder: Path) -> Path:
    path = folder / "mine.ipynb"
    path.write_text(json.dumps(borrowing(WAYS[way])))
    return path


@pytest.fixture(scope="module")
def grader() -> Iterator[Grader]:
    lab = find_lab(4)
    with Grader(Plan(4, Reference(lab).version, 7)) as opened:
        yield opened


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_the_grade_says_that_it_is_borrowed(way: str, grader: Grader, tmp_path: Path) -> None:
    lab = find_lab(4)
    record = grader.grade(Incoming(record_id("mine"), "mine", handed_in(way, tmp_path), "0" * 64))
    assert record["4.2"].status == "borrowed"
    assert record["4.2"].earned == 0
    assert record["4.2"].message == "borrowed with `lab.borrow`, for no points"
    assert all(result.earned in (None, result.points) for result in record.exercises if result.id != "4.2")
    assert record.points == record.checkable - lab["4.2"].points
    assert Record.from_json(record.to_json()) == record
    assert "no points" in SENTENCES["borrowed"]


@pytest.mark.slow
def test_it_says_so_without_a_sandbox_too(tmp_path: Path) -> None:
    lab = find_lab(4)
    submission = read_submission(handed_in("plainly", tmp_path), lab)
    marks = {mark.exercise.id: mark for mark in score(submission, Reference(lab), [7])}
    assert marks["4.2"].points == 0
    assert marks["4.2"].message == "borrowed with `lab.borrow`, for no points"
    assert all(mark.points in (None, mark.exercise.points) for i, mark in marks.items() if i != "4.2")
