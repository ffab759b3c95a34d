"""Reading and scoring submissions: whole ones, half ones, and ones that a student's day has been through."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nbformat import NotebookNode

from efficientlab.authoring.build import source_path
from efficientlab.authoring.source import read_source
from efficientlab.authoring.student import student_notebook
from efficientlab.demo import write_samples
from efficientlab.exercises.contract import AnswerError
from efficientlab.exercises.labs import find_lab
from efficientlab.grading import check
from efficientlab.grading.check import total
from efficientlab.grading.reading.outline import handed_out
from efficientlab.grading.reading.submission import SubmissionError, parse_notebook, read_submission
from efficientlab.grading.running.runner import Box
from efficientlab.grading.sandbox import open_sandbox
from efficientlab.grading.sandbox.contract import Sandbox, SandboxError, Setup
from efficientlab.grading.sandbox.limits import Limits
from efficientlab.grading.score import Mark, Reference, results_of, score

pytestmark = pytest.mark.slow

LAB = find_lab(4)
SEEDS = [7]


@cache
def reference() -> Reference:
    return Reference(LAB)


@cache
def complete() -> NotebookNode:
    return student_notebook(read_source(source_path(LAB), LAB), LAB, [e.id for e in LAB.exercises])


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """Boxes that open in milliseconds where this machine has them, processes otherwise."""
    setup = Setup(LAB.number, tuple(reference().prelude), reference().imports)
    try:
        opened = open_sandbox("namespaces", setup)
    except SandboxError:
        opened = open_sandbox("none", setup)
    yield opened
    opened.close()


def marked(path: Path, sandbox: Sandbox | None) -> list[Mark]:
    """The marks of a submission in the boxes of a sandbox, or in a process of its own."""
    submission = read_submission(path, LAB, handed_out(LAB.slug))
    if sandbox is None:
        return score(submission, reference(), SEEDS)
    with Box(LAB, reference().prelude, submission, sandbox=sandbox) as box:
        results = results_of(submission, reference(), box, SEEDS)
    return [Mark(LAB[result.id], result.earned, result.message) for result in results]


def marks_of(notebook: dict, tmp_path: Path, sandbox: Sandbox | None = None) -> dict[str, Mark]:
    path = tmp_path / "mine.ipynb"
    path.write_text(json.dumps(notebook))
    return {mark.exercise.id: mark for mark in marked(path, sandbox)}


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


def test_the_demos_samples_lose_exactly_what_they_must(tmp_path: Path, sandbox: Sandbox) -> None:
    for name, lost in write_samples(LAB, tmp_path).items():
        if name == "endless-loop":
            continue  # it takes its limit, and `make demo` grades it
        marks = marked(tmp_path / f"{name}.ipynb", sandbox)
        assert {m.exercise.id for m in marks if m.points == 0} == lost, name
        points, bonus = total(marks)
        assert points + bonus == sum(m.exercise.points for m in marks if m.exercise.check) - sum(
            LAB[i].points for i in lost
        )


def test_the_lab_has_a_hundred_points() -> None:
    assert sum(e.points for e in LAB.exercises if not e.bonus) == 100


def test_a_blank_answer_says_so_and_a_hand_graded_one_waits(tmp_path: Path, sandbox: Sandbox) -> None:
    blank = student_notebook(read_source(source_path(LAB), LAB), LAB)
    marks = marks_of(blank, tmp_path, sandbox)
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

    path = tmp_path / "mine.ipynb"
    path.write_text(json.dumps(edited(break_it)))
    submission = read_submission(path, LAB)
    case = {e.id: LAB.recorded(e.id)[0].inputs for e in LAB.exercises if e.check}
    impatient = Box(LAB, reference().prelude, submission, Limits(case=3.0))
    with impatient as box, pytest.raises(AnswerError, match="no answer within 3 s"):
        box.student("4.1")(case["4.1"])
    with Box(LAB, reference().prelude, submission) as box:  # a busy machine takes its time
        with pytest.raises(AnswerError, match="the process that ran it ended"):
            box.student("4.7")(case["4.7"])
        with pytest.raises(AnswerError, match=r"list index out of range \(cell \d+, line 1\)"):
            box.student("4.8")(case["4.8"])
        assert box.student("4.6")(case["4.6"])["stateless"] is True
        assert box.student("4.2")(case["4.2"])["x_changed"] is False


def test_answers_are_found_without_metadata_in_another_order_and_with_magics(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    notebook = copy.deepcopy(complete())
    for cell in notebook.cells:
        cell.metadata = {}
    notebook.cells.reverse()
    notebook.cells.insert(0, {"cell_type": "code", "metadata": {}, "source": "%matplotlib inline\n!pip list"})
    marks = marks_of(notebook, tmp_path, sandbox)
    assert all(m.points == m.exercise.points for i, m in marks.items() if i != "4.9")


def test_instructor_cells_do_not_matter_and_helpers_in_other_cells_are_found(
    tmp_path: Path, sandbox: Sandbox
) -> None:
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
    marks = marks_of(notebook, tmp_path, sandbox)
    assert all(m.points == m.exercise.points for i, m in marks.items() if i != "4.9")


def test_of_two_definitions_the_last_one_counts(tmp_path: Path, sandbox: Sandbox) -> None:
    notebook = copy.deepcopy(complete())
    notebook.cells.append(
        {"cell_type": "code", "metadata": {}, "source": "def clip_logits(backbone, video):\n    return None"}
    )
    marks = marks_of(notebook, tmp_path, sandbox)
    assert marks["4.1"].points == 0
    assert "returned None" in marks["4.1"].message


def test_an_output_of_another_type_gets_a_sentence(tmp_path: Path) -> None:
    def break_it(cells: dict[str, dict]) -> None:
        cells["4.1"]["source"] = "def clip_logits(backbone, video):\n    return {'a': object()}"
        cells["4.8"]["source"] = "def step_cost(**k):\n    return {'gradient_bytes': 4 * k['parameters']}"

    marks = marks_of(edited(break_it), tmp_path)
    assert marks["4.1"].points == marks["4.8"].points == 0
    assert "sent_bytes" in marks["4.8"].message


def test_check_runs_no_experiment_for_a_wrong_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What students were given changes nothing that an answer uses, and takes minutes."""

    def slip(cells: dict[str, dict]) -> None:
        cells["4.8"]["source"] = "def step_cost(**k):\n    return {'gradient_bytes': 4 * k['parameters']}"

    shown: list[list[Mark]] = []
    monkeypatch.setattr(check, "print_marks", lambda submission, marks, lab: shown.append(marks))
    path = tmp_path / "mine.ipynb"
    path.write_text(json.dumps(edited(slip)))
    assert check.check_notebooks([path], LAB) == 0
    (message,) = (mark.message for mark in shown[0] if mark.exercise.id == "4.8")
    assert "sent_bytes" in message
    assert "cells above it" not in message


BAD_FILES = {
    "no JSON": (b"not json", "this is not a notebook"),
    "binary": (bytes(range(256)) * 9, "this is not a notebook"),
    "nothing": (b"", "this is not a notebook"),
    "deep": (b"[" * 200_000, "this is not a notebook"),
    "a number": (b"[" + b"9" * 100_000 + b"]", "this is not a notebook"),
    "a list": (b"[]", "no list of cells"),
    "nulls": (b"\0" * 4096, "this is not a notebook"),
    "many entries": (
        b"[" + b"0," * 2_100_000 + b"0]",
        "more than 1,000,000 entries beside its outputs",
    ),
    "many cells": (json.dumps({"cells": [{}] * 2001}).encode(), "has 2001 cells, the limit is 2000"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_file_that_is_no_notebook_gets_one_sentence(name: str, tmp_path: Path) -> None:
    content, sentence = BAD_FILES[name]
    path = tmp_path / "mine.ipynb"
    path.write_bytes(content)
    with pytest.raises(SubmissionError) as error:
        read_submission(path, LAB)
    assert sentence in str(error.value)
    assert str(error.value).startswith(f"{path}: ")
    assert "\n" not in str(error.value)


def test_a_large_file_is_refused_before_it_is_parsed(tmp_path: Path) -> None:
    path = tmp_path / "mine.ipynb"
    with path.open("wb") as file:
        file.truncate(100_000_001)
    with pytest.raises(SubmissionError, match="larger than 100 MB; clear the notebook's outputs"):
        read_submission(path, LAB)


def test_a_cell_that_holds_data_is_left_out_and_the_others_are_read() -> None:
    sources = [
        "x = '" + "a" * 100_000 + "'",
        "def clip_logits(): 1",
        *["#" * 99_000] * 4,
        "def temporal_shift(): 1",
    ]
    cells = [{"cell_type": "code", "source": source} for source in sources]
    submission = parse_notebook({"cells": cells}, LAB, Path("mine.ipynb"))
    assert submission.answers("4.1") and submission.answers("4.2")
    assert len(submission.notes) == 2
    assert submission.notes[0] == "cell 1 was not read, as it has 100,006 characters: keep data in a file."


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        (".", "this is a folder"),
        ("n" * 300 + ".ipynb", "cannot be opened"),
        ("none.ipynb", "no such file"),
        ("a\0b", "no such file|cannot be opened"),
    ],
)
def test_a_path_that_is_no_file_gets_one_sentence(path: str, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(SubmissionError, match=sentence) as error:
        read_submission(tmp_path / path, LAB)
    assert len(str(error.value)) < 600


@settings(deadline=None, max_examples=100)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=20),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "cells",
                        "worksheets",
                        "cell_type",
                        "source",
                        "input",
                        "metadata",
                        "nbgrader",
                        "grade_id",
                        "id",
                    ]
                ),
                inner
                | st.sampled_from(
                    ["code", "markdown", "ex-4-1", "check-4-1", "%%time\nx", "def clip_logits(): 1"]
                ),
                max_size=5,
            )
        ),
        max_leaves=30,
    )
)
def test_any_json_is_a_submission_or_one_sentence(notebook: object) -> None:
    refused = None
    try:
        submission = parse_notebook(notebook, LAB, Path("mine.ipynb"))
    except SubmissionError as error:
        refused = str(error)
    if refused:
        assert refused.startswith("mine.ipynb: ")
    else:
        assert any(cell.exercises for cell in submission.cells) or any(submission.written.values())


@pytest.mark.parametrize(
    "cells",
    [
        [{"cell_type": "markdown", "id": "ex-4-9", "source": "Because."}],
        [
            {
                "cell_type": "markdown",
                "metadata": {"nbgrader": {"grade_id": "ex-4-9"}},
                "source": ["Beca", "use."],
            }
        ],
        [
            {"cell_type": "markdown", "source": "### Exercise 4.9 · When would you not use it?\n\nText."},
            {"cell_type": "raw", "source": "Because."},
            {"cell_type": "markdown", "source": "## 9 · Next"},
        ],
    ],
)
def test_a_written_answer_is_found_by_its_cell_or_below_its_heading(cells: list[dict]) -> None:
    assert parse_notebook({"cells": cells}, LAB, Path("mine.ipynb")).written == {"4.9": "Because."}


def test_messages_name_the_cell_also_where_an_answer_raises_when_it_is_called(tmp_path: Path) -> None:
    def break_it(cells: dict[str, dict]) -> None:
        cells["4.1"]["source"] = "def clip_logits(backbone, video):\n    return video[7, 7, 7]"
        cells["4.7"]["source"] = (
            "import no_such_package as nsp\ndef stream_logits(net, video):\n    return nsp.f(video)"
        )

    marks = marks_of(edited(break_it), tmp_path)
    for exercise in ("4.1", "4.7"):
        assert re.search(r"\(cell \d+", marks[exercise].message), marks[exercise].message
    assert "No module named 'no_such_package' (cell" in marks["4.7"].message


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
