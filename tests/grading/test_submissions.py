"""Reading and scoring submissions: whole ones, half ones, and ones that a student's day has been through."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from nbformat import NotebookNode

from efficientlab.authoring.build import source_path
from efficientlab.authoring.source import read_source
from efficientlab.authoring.student import student_notebook
from efficientlab.demo import write_samples
from efficientlab.exercises.labs import find_lab
from efficientlab.grading.report import total
from efficientlab.grading.score import Mark, Reference, score
from efficientlab.grading.submission import SubmissionError, parse_notebook, read_submission

LAB = find_lab(4)
SEEDS = [7]


@cache
def reference() -> Reference:
    return Reference(LAB)


@cache
def complete() -> NotebookNode:
    return student_notebook(read_source(source_path(LAB), LAB), LAB, [e.id for e in LAB.exercises])


def marks_of(notebook: dict, tmp_path: Path) -> dict[str, Mark]:
    path = tmp_path / "mine.ipynb"
    path.write_text(json.dumps(notebook))
    return {m.exercise.id: m for m in score(read_submission(path, LAB), reference(), SEEDS)}


def edited(change: Callable[[dict[str, dict]], None]) -> dict:
    """The complete submission after `change` got its answer cells, by exercise id."""
    notebook = copy.deepcopy(complete())
    change(
        {
            e.id: cell
            for e in LAB.exercises
            for cell in notebook.cells
            if cell.metadata.get("nbgrader", {}).get("grade_id") == e.cell
        }
    )
    return notebook


def test_the_three_samples_get_exactly_their_points(tmp_path: Path) -> None:
    checked = sum(e.points for e in LAB.exercises if e.check and not e.bonus)
    half = [e for e in LAB.exercises[: len(LAB.exercises) // 2] if e.check]
    expected = [(checked, 10), (sum(e.points for e in half), 0), (0, 0)]
    for path, points in zip(write_samples(LAB, tmp_path), expected, strict=True):
        assert total(score(read_submission(path, LAB), reference(), SEEDS)) == points, path.name


def test_the_lab_has_a_hundred_points() -> None:
    assert sum(e.points for e in LAB.exercises if not e.bonus) == 100


def test_a_blank_answer_says_so_and_a_hand_graded_one_waits(tmp_path: Path) -> None:
    blank = student_notebook(read_source(source_path(LAB), LAB), LAB)
    marks = marks_of(blank, tmp_path)
    assert marks["4.2"].message == "not written yet"
    assert marks["4.9"].points is None


def test_a_syntax_error_costs_its_own_exercise_and_names_cell_and_line(tmp_path: Path) -> None:
    def break_it(cells: dict[str, dict]) -> None:
        cells["4.2"]["source"] = "def temporal_shift(x, n_frames:\n    return x"

    marks = marks_of(edited(break_it), tmp_path)
    assert marks["4.2"].points == 0
    assert "`temporal_shift` raised SyntaxError" in marks["4.2"].message
    assert "line 1" in marks["4.2"].message
    assert "cell " in marks["4.2"].message
    assert all(m.points == m.exercise.points for i, m in marks.items() if i not in ("4.2", "4.9"))


def test_an_endless_loop_and_a_crash_cost_their_own_exercise(tmp_path: Path) -> None:
    def break_it(cells: dict[str, dict]) -> None:
        cells["4.1"]["source"] = "def clip_logits(backbone, video):\n    while True:\n        pass"
        cells["4.7"]["source"] = "import os\ndef stream_logits(net, video):\n    os._exit(0)"
        cells["4.8"]["source"] = "step_cost = [][3]  # raises where the answer is made"
        cells["4.6"]["source"] = "raise ValueError('an experiment')\n" + cells["4.6"]["source"]
        cells["4.2"]["source"] += (
            "\nprint(temporal_shift(video_of_mine, 8))"  # a trial call: the answer is there
        )

    from efficientlab.grading.runner import Box
    from efficientlab.grading.sandbox.limits import Limits

    path = tmp_path / "mine.ipynb"
    path.write_text(json.dumps(edited(break_it)))
    submission = read_submission(path, LAB)
    from efficientlab.exercises.contract import AnswerError

    with Box(LAB, reference().prelude, submission, Limits(case=3.0)) as box:
        case = {e.id: LAB.recorded(e.id)[0].inputs for e in LAB.exercises if e.check}
        with pytest.raises(AnswerError, match="no answer within 3 s"):
            box.student("4.1")(case["4.1"])
        with pytest.raises(AnswerError, match="the process that ran it ended"):
            box.student("4.7")(case["4.7"])
        with pytest.raises(AnswerError, match=r"list index out of range \(cell \d+, line 1\)"):
            box.student("4.8")(case["4.8"])
        assert box.student("4.6")(case["4.6"])["stateless"] is True
        assert box.student("4.2")(case["4.2"])["x_changed"] is False


def test_answers_are_found_without_metadata_in_another_order_and_with_magics(tmp_path: Path) -> None:
    notebook = copy.deepcopy(complete())
    for cell in notebook.cells:
        cell.metadata = {}
    notebook.cells.reverse()
    notebook.cells.insert(0, {"cell_type": "code", "metadata": {}, "source": "%matplotlib inline\n!pip list"})
    marks = marks_of(notebook, tmp_path)
    assert all(m.points == m.exercise.points for i, m in marks.items() if i != "4.9")


def test_instructor_cells_do_not_matter_and_helpers_in_other_cells_are_found(tmp_path: Path) -> None:
    notebook = copy.deepcopy(complete())
    notebook.cells = [c for c in notebook.cells if "nbgrader" in c.metadata]
    helper = {
        "cell_type": "code",
        "metadata": {},
        "source": "import torch as th\ndef mean(x):\n    return x.mean(1)",
    }
    for cell in notebook.cells:
        if cell.metadata.nbgrader.grade_id == "ex-4-1":
            cell.source = (
                "def clip_logits(backbone, video):\n"
                "    return mean(th.stack([backbone(f) for f in video.unbind(1)], 1))"
            )
    notebook.cells.insert(0, helper)
    marks = marks_of(notebook, tmp_path)
    assert all(m.points == m.exercise.points for i, m in marks.items() if i != "4.9")


def test_of_two_definitions_the_last_one_counts(tmp_path: Path) -> None:
    notebook = copy.deepcopy(complete())
    notebook.cells.append(
        {"cell_type": "code", "metadata": {}, "source": "def clip_logits(backbone, video):\n    return None"}
    )
    marks = marks_of(notebook, tmp_path)
    assert marks["4.1"].points == 0
    assert "NoneType" in marks["4.1"].message


def test_an_output_of_another_type_gets_a_sentence(tmp_path: Path) -> None:
    def break_it(cells: dict[str, dict]) -> None:
        cells["4.1"]["source"] = "def clip_logits(backbone, video):\n    return {'a': object()}"
        cells["4.8"]["source"] = "def step_cost(**k):\n    return {'gradient_bytes': 4 * k['parameters']}"

    marks = marks_of(edited(break_it), tmp_path)
    assert marks["4.1"].points == marks["4.8"].points == 0
    assert "sent_bytes" in marks["4.8"].message


@pytest.mark.parametrize(
    "notebook", [[], {"cells": 3}, {"cells": [{"cell_type": "markdown", "source": "x"}]}]
)
def test_what_is_no_submission_is_refused_in_one_sentence(notebook: object) -> None:
    with pytest.raises(SubmissionError, match="mine"):
        parse_notebook(notebook, LAB, Path("mine.ipynb"))


def test_percent_signs_inside_an_expression_are_no_magics() -> None:
    source = "value = (7\n    % 4)\ndef clip_logits(backbone, video):\n    return '''\n%d\n''' % value"
    cell = {"cell_type": "code", "metadata": {}, "source": source}
    submission = parse_notebook({"cells": [cell]}, LAB, Path("mine.ipynb"))
    assert submission.cells[0].source == source
    assert submission.notes == ()
