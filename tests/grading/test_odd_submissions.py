"""Right answers in odd notebooks get full marks: what a student's day, Colab, VS Code and editors do to a file."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import nbformat
import pytest

from efficientlab.authoring.build import source_path
from efficientlab.authoring.source import read_source
from efficientlab.authoring.student import student_notebook
from efficientlab.exercises.contract import Student
from efficientlab.exercises.labs import find_lab
from efficientlab.exercises.student import local_student
from efficientlab.grading.reading.submission import Submission, read_submission
from efficientlab.grading.record import ExerciseResult
from efficientlab.grading.running.workspace import Workspace
from efficientlab.grading.score import Reference, results_of

FULL = find_lab(4)
LAB = replace(FULL, exercises=tuple(e for e in FULL.exercises if not e.bonus))  # Triton's interpreter is slow
CHECKED = [e for e in LAB.exercises if e.check]
Notebook = dict[str, Any]


@cache
def reference() -> Reference:
    return Reference(LAB)


@cache
def complete_text() -> str:
    solved = [e.id for e in FULL.exercises]
    return nbformat.writes(student_notebook(read_source(source_path(FULL), FULL), FULL, solved))


def complete() -> Notebook:
    notebook: Notebook = json.loads(complete_text())
    for cell in notebook["cells"]:
        cell["source"] = "".join(cell["source"])
    return notebook


class Inside:
    """Runs answers in this process: these submissions are ours."""

    sees_all = can_be_shared = False

    def __init__(self, submission: Submission) -> None:
        self.workspace = Workspace(LAB, reference().prelude, submission.cells)

    def student(self, exercise_id: str, limit: int, reach: str = "needs", looks: object = None) -> Student:
        def student(inputs: dict) -> dict:
            check = LAB[exercise_id].check
            assert check is not None
            return local_student(check, self.workspace.answer(exercise_id))(inputs)

        return student


def graded(path: Path) -> tuple[Submission, dict[str, ExerciseResult]]:
    submission = read_submission(path, LAB)
    results = results_of(submission, reference(), Inside(submission), [7])  # type: ignore[arg-type]
    return submission, {result.id: result for result in results}


def answer_cell(notebook: Notebook, exercise_id: str) -> dict[str, Any]:
    wanted = LAB[exercise_id].cell
    return next(c for c in notebook["cells"] if c["metadata"].get("nbgrader", {}).get("grade_id") == wanted)


def code(source: str, **metadata: Any) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "metadata": metadata,
        "source": source,
        "outputs": [],
        "execution_count": None,
    }


ODD: dict[str, Callable[[Notebook], Any]] = {}


def odd(change: Callable[[Notebook], Any]) -> Callable[[Notebook], Any]:
    """Register a change to the complete notebook; it may return other bytes or text to hand in."""
    ODD[change.__name__] = change
    return change


def rewritten(exercise_id: str, change: Callable[[str], str], name: str) -> None:
    def rewrite(notebook: Notebook) -> None:
        cell = answer_cell(notebook, exercise_id)
        cell["source"] = change(cell["source"])

    rewrite.__name__ = name
    odd(rewrite)


@odd
def as_it_was_handed_out(notebook: Notebook) -> None: ...


@odd
def shell_lines_and_magics(notebook: Notebook) -> None:
    notebook["cells"].insert(
        0, code("%load_ext autoreload\n%autoreload 2\n!pip install -q einops \\\n  --upgrade")
    )
    notebook["cells"].insert(1, code("files = !ls\nhere = %pwd\nprint(files)"))
    cell = answer_cell(notebook, "4.1")
    cell["source"] = "%matplotlib inline\n!nvidia-smi\n" + cell["source"] + "\nclip_logits?\n?clip_logits\n"


@odd
def timed_and_captured_answer_cells(notebook: Notebook) -> None:
    for exercise_id, magic in (("4.1", "%%time"), ("4.2", "%%capture out"), ("4.7", "\n%%timeit -n 1")):
        answer_cell(notebook, exercise_id)["source"] = (
            f"{magic}\n{answer_cell(notebook, exercise_id)['source']}"
        )


@odd
def cells_of_other_languages(notebook: Notebook) -> None:
    for magic in (
        "%%bash\nwhile true; do sleep 1; done",
        "%%html\n<b>hi</b>",
        "%%writefile a.py\nraise Oops",
    ):
        notebook["cells"].insert(3, code(magic))


@odd
def colab_form_cells(notebook: Notebook) -> None:
    for cell in notebook["cells"]:
        cell["metadata"] |= {
            "cellView": "form",
            "colab": {"base_uri": "https://localhost:8080/"},
            "id": "x1Y2",
        }
        cell.pop("id", None)
    notebook["cells"].insert(2, code('#@title Settings { run: "auto" }\nlr = 0.1 #@param {type:"number"}'))


@odd
def metadata_lost(notebook: Notebook) -> None:
    for cell in notebook["cells"]:
        cell["metadata"] = {}
        cell.pop("id", None)


@odd
def metadata_is_rubbish(notebook: Notebook) -> None:
    for i, cell in enumerate(notebook["cells"]):
        cell["metadata"] = [None, [], "x", {"nbgrader": 3}, {"nbgrader": {"grade_id": []}}][i % 5]


@odd
def cells_in_reverse_order_without_metadata(notebook: Notebook) -> None:
    metadata_lost(notebook)
    notebook["cells"].reverse()


@odd
def instructor_cells_deleted(notebook: Notebook) -> None:
    kept = {e.cell for e in LAB.exercises}
    notebook["cells"] = [
        c for c in notebook["cells"] if c["metadata"].get("nbgrader", {}).get("grade_id") in kept
    ]


@odd
def check_cells_edited(notebook: Notebook) -> None:
    for cell in notebook["cells"]:
        if cell["metadata"].get("nbgrader", {}).get("grade_id", "").startswith("check-"):
            cell["source"] = "def clip_logits(*a):\n    return 0\ntemporal_shift = None"


@odd
def all_answers_in_one_cell(notebook: Notebook) -> None:
    source = "\n\n".join(answer_cell(notebook, e.id)["source"] for e in CHECKED)
    notebook["cells"] = [code(source)]


@odd
def a_training_loop_left_running(notebook: Notebook) -> None:
    loop = "while True:\n    loss = 1\n    x = loss\n    logits = x\n"
    notebook["cells"].insert(4, code(loop))
    for exercise in CHECKED:
        answer_cell(notebook, exercise.id)["source"] += f"\n\n{loop}"


@odd
def experiments_that_fail_above_and_below(notebook: Notebook) -> None:
    for exercise in CHECKED:
        cell = answer_cell(notebook, exercise.id)
        cell["source"] = f"print(undefined_name)\n{cell['source']}\n1 / 0"


@odd
def broken_cells_between(notebook: Notebook) -> None:
    for source in ("def broken(:\n  pass", "x = (1,", "'unterminated", "return 3", "\0", "\ud800 = 3"):
        notebook["cells"].insert(5, code(source))


@odd
def a_failing_import_beside_good_ones(notebook: Notebook) -> None:
    notebook["cells"].insert(1, code("import torch as th\nimport no_such_package\nimport math as m"))
    answer_cell(notebook, "4.1")["source"] = (
        "import no_such_package as nothing\n"
        "def clip_logits(backbone, video):\n"
        "    return th.stack([backbone(f) for f in video.unbind(1)], 1).mean(m.floor(1.5))"
    )


@odd
def a_name_defined_twice(notebook: Notebook) -> None:
    cell = answer_cell(notebook, "4.1")
    cell["source"] = (
        "def clip_logits(backbone, video):\n    return video  # my first try\n\n" + cell["source"]
    )


@odd
def an_early_attempt_in_another_cell(notebook: Notebook) -> None:
    notebook["cells"].insert(2, code("def temporal_shift(x, n_frames):\n    return x"))


@odd
def a_later_attempt_that_does_not_parse(notebook: Notebook) -> None:
    notebook["cells"].append(code("def temporal_shift(x, n_frames:\n    return x"))


@odd
def helpers_shadowed_by_later_cells(notebook: Notebook) -> None:
    cells = notebook["cells"]
    at = cells.index(answer_cell(notebook, "4.1"))
    cells[at]["source"] = "def clip_logits(backbone, video):\n    return helper(backbone, video)"
    cells.insert(
        at, code("def helper(g, v):\n    return torch.stack([g(f) for f in v.unbind(1)], 1).mean(1)")
    )
    at = cells.index(answer_cell(notebook, "4.7"))
    cells.insert(at, code("def helper():\n    return None\nvideo = None\nbackbone = 3"))


@odd
def helpers_below_the_answer(notebook: Notebook) -> None:
    answer_cell(notebook, "4.1")["source"] = "def clip_logits(g, v):\n    return average(g, v)"
    notebook["cells"].append(
        code("def average(g, v):\n    return torch.stack([g(f) for f in v.unbind(1)], 1).mean(1)")
    )


@odd
def computed_constants_decorators_and_defaults(notebook: Notebook) -> None:
    notebook["cells"].insert(
        1,
        code(
            "import functools\nimport math\nAXIS = int(math.log2(2))\nKEPT = {'axis': AXIS}\nKEPT['once'] = True\n"
            "def logged(f):\n    @functools.wraps(f)\n    def g(*a, **k):\n        return f(*a, **k)\n    return g"
        ),
    )
    answer_cell(notebook, "4.1")["source"] = (
        "@logged\ndef clip_logits(backbone, video, axis=AXIS):\n"
        "    return torch.stack([backbone(f) for f in video.unbind(1)], 1).mean(KEPT['axis'])"
    )


@odd
def an_answer_that_is_a_lambda_or_another_name(notebook: Notebook) -> None:
    answer_cell(notebook, "4.1")["source"] = (
        "clip_logits = lambda g, v: torch.stack([g(f) for f in v.unbind(1)], 1).mean(1)"
    )
    cell = answer_cell(notebook, "4.7")
    cell["source"] = cell["source"].replace("def stream_logits", "def mine") + "\nstream_logits = mine"


@odd
def an_answer_inside_a_condition(notebook: Notebook) -> None:
    cell = answer_cell(notebook, "4.7")
    body = "\n".join(f"    {line}" for line in cell["source"].split("\n"))
    cell["source"] = f"if torch.cuda.is_available() or True:\n{body}"


@odd
def top_level_await(notebook: Notebook) -> None:
    notebook["cells"].insert(1, code("import asyncio\nasync def axis():\n    return 1\nAXIS = await axis()"))
    answer_cell(notebook, "4.1")["source"] = (
        "await asyncio.sleep(0)\ndef clip_logits(backbone, video):\n"
        "    return torch.stack([backbone(f) for f in video.unbind(1)], 1).mean(AXIS)"
    )


@odd
def a_method_written_outside_of_its_class(notebook: Notebook) -> None:
    cell = answer_cell(notebook, "4.3")
    head, body = cell["source"].split("    def forward")
    body = "\n".join(line.removeprefix("    ") for line in f"    def forward{body}".split("\n"))
    cell["source"] = f"{head}\n{body}\nShiftedBlock.forward = forward"


@odd
def form_feeds_tabs_and_trailing_blanks(notebook: Notebook) -> None:
    for exercise in CHECKED:
        cell = answer_cell(notebook, exercise.id)
        cell["source"] = "\f" + cell["source"].replace("    ", "\t") + "  \n\f\n\n"


@odd
def pasted_prompts_and_an_indented_cell(notebook: Notebook) -> None:
    answer_cell(notebook, "4.1")["source"] = (
        ">>> def clip_logits(backbone, video):\n"
        "...     return torch.stack([backbone(f) for f in video.unbind(1)], 1).mean(1)\n"
    )
    cell = answer_cell(notebook, "4.7")
    cell["source"] = "\n".join(f"    {line}" for line in cell["source"].split("\n"))


@odd
def own_imports_under_other_names(notebook: Notebook) -> None:
    answer_cell(notebook, "4.1")["source"] = (
        "from __future__ import annotations\nimport torch as T, typing\nfrom math import *\n"
        "def clip_logits(backbone: Unknown, video: typing.Any) -> T.Tensor:\n"
        "    return T.stack([backbone(f) for f in video.unbind(1)], 1).mean(1)"
    )


@odd
def the_profile_changed(notebook: Notebook) -> None:
    notebook["cells"].insert(
        1, code("import os\nos.environ['EFFICIENTLAB_PROFILE'] = 'full'\nPROFILES = {}\nP = 3")
    )


@odd
def a_data_loader_with_workers(notebook: Notebook) -> None:
    loader = (
        "from torch.utils.data import DataLoader\nfor batch in DataLoader(range(8), num_workers=4):\n    pass"
    )
    notebook["cells"].insert(5, code(loader))


@odd
def plots_widgets_and_input(notebook: Notebook) -> None:
    notebook["cells"].insert(5, code("name = input('your name? ')\nimport antigravity\nexit()\nquit()"))


@odd
def the_default_dtype_and_seeds_changed(notebook: Notebook) -> None:
    notebook["cells"].insert(2, code("torch.set_default_dtype(torch.float64)\ntorch.manual_seed(3)"))


@odd
def another_kernel_spec(notebook: Notebook) -> None:
    notebook["metadata"] = {"kernelspec": {"name": "julia-1.9", "language": "julia"}, "vscode": {"x": 1}}


@odd
def sources_as_lists_of_lines(notebook: Notebook) -> None:
    for cell in notebook["cells"]:
        cell["source"] = cell["source"].splitlines(keepends=True)


@odd
def format_4_0(notebook: Notebook) -> None:
    notebook["nbformat_minor"] = 0
    for cell in notebook["cells"]:
        cell.pop("id", None)


@odd
def format_3(notebook: Notebook) -> Notebook:
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell["input"] = cell.pop("source")
    return {"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": [{"cells": notebook["cells"]}]}


@odd
def a_byte_order_mark(notebook: Notebook) -> bytes:
    return b"\xef\xbb\xbf" + json.dumps(notebook).encode()


@odd
def utf_16(notebook: Notebook) -> bytes:
    return json.dumps(notebook, ensure_ascii=False).encode("utf-16")


@odd
def an_old_windows_encoding(notebook: Notebook) -> bytes:
    notebook["cells"].insert(0, {"cell_type": "markdown", "metadata": {}, "source": "Grüße, naïve café"})
    return json.dumps(notebook, ensure_ascii=False).encode("cp1252", errors="replace")


@odd
def windows_newlines_in_file_and_cells(notebook: Notebook) -> bytes:
    for cell in notebook["cells"]:
        cell["source"] = cell["source"].replace("\n", "\r\n")
    return json.dumps(notebook, indent=1).replace("\n", "\r\n").encode()


@odd
def old_mac_newlines(notebook: Notebook) -> None:
    for cell in notebook["cells"]:
        cell["source"] = cell["source"].replace("\n", "\r")


@odd
def large_outputs(notebook: Notebook) -> None:
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "x" * 100_000}]


@odd
def cells_that_are_no_cells(notebook: Notebook) -> None:
    notebook["cells"][3:3] = [None, 3, [], {}, {"cell_type": "code"}, {"cell_type": "code", "source": None}]


@odd
def an_answer_cell_copied(notebook: Notebook) -> None:
    notebook["cells"].append(copy.deepcopy(answer_cell(notebook, "4.2")))


rewritten("4.2", lambda s: s + "\n\nprint(temporal_shift(video_of_mine, 8))\n", "a_trial_call_that_fails")
rewritten("4.6", lambda s: s.replace("(nn.Module)", "(torch.nn.Module)"), "a_base_class_by_its_full_name")
rewritten("4.8", lambda s: s + "\n\nassert step_cost is None, 'left from debugging'", "an_assertion_left")


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[pytest.mark.slow] if n != "as_it_was_handed_out" else []) for n in ODD]
)
def test_a_right_but_odd_submission_gets_full_marks(name: str, tmp_path: Path) -> None:
    notebook = complete()
    made = ODD[name](notebook)
    path = tmp_path / f"my lab (final) {name}.ipynb"
    path.write_bytes(made if isinstance(made, bytes) else json.dumps(made or notebook).encode())
    _, results = graded(path)
    lost = {i: r.message for i, r in results.items() if r.earned not in (r.points, None)}
    assert lost == {}
    assert sum(r.earned or 0 for r in results.values()) == sum(e.points for e in CHECKED)


def test_there_are_at_least_thirty() -> None:
    assert len(ODD) >= 30


def test_what_was_skipped_is_reported(tmp_path: Path) -> None:
    notebook = complete()
    shell_lines_and_magics(notebook)
    path = tmp_path / "mine.ipynb"
    path.write_text(json.dumps(notebook))
    submission, _ = graded(path)
    assert "cell 1, line 1: '%load_ext autoreload' was skipped." in submission.notes
    assert "cell 2, line 1: 'files = !ls' was skipped." in submission.notes
