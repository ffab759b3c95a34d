"""Notebooks as students hand them in: right answers count whatever their state is made by, and faults have their names.

Each is a right answer of lab 4's first exercise, or a wrong one with the sentence that its student must read.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from efficientlab.exercises.contract import Student
from efficientlab.exercises.labs import find_lab
from efficientlab.exercises.student import local_student
from efficientlab.grading.reading.outline import handed_out
from efficientlab.grading.reading.statements import Reach
from efficientlab.grading.reading.submission import Submission, parse_notebook
from efficientlab.grading.record import ExerciseResult
from efficientlab.grading.running.workspace import Workspace
from efficientlab.grading.score import Reference, results_of

FULL = find_lab(4)
LAB = replace(FULL, exercises=(FULL["4.1"], FULL["4.9"]))
RIGHT = "def clip_logits(backbone, video):\n    return torch.stack([backbone(f) for f in video.unbind(1)], 1).mean({})"


@cache
def reference() -> Reference:
    made = Reference(FULL)
    made.lab = LAB
    return made


class Inside:
    """Runs answers in this process, in a folder of the test's: these submissions are ours."""

    sees_all = can_be_shared = False

    def __init__(self, submission: Submission) -> None:
        self.submission = submission

    def student(self, exercise_id: str, limit: int, reach: Reach = "needs", looks: object = None) -> Student:
        workspace = Workspace(LAB, reference().prelude, [])
        workspace.is_main = True
        needs = self.submission.needs[exercise_id]
        workspace.load([self.submission.cells[i] for i in needs.of(reach)], reach)

        def student(inputs: dict) -> dict:
            from efficientlab.exercises.contract import AnswerError

            check = LAB[exercise_id].check
            assert check is not None
            try:
                return local_student(check, workspace.answer(exercise_id))(inputs)
            except AnswerError as error:
                raise workspace.explain(exercise_id, error) from None

        return student


def code_of(grade_id: str) -> str:
    """A cell as it is handed out."""
    from efficientlab.environment import ROOT

    raw = json.loads((ROOT / "labs" / f"{FULL.slug}.ipynb").read_text(encoding="utf-8"))["cells"]
    found = next(c for c in raw if c["metadata"].get("nbgrader", {}).get("grade_id") == grade_id)
    return "".join(found["source"])


def read(*cells: str | dict[str, Any]) -> Submission:
    made = [c if isinstance(c, dict) else {"cell_type": "code", "source": c} for c in cells]
    return parse_notebook({"cells": made}, LAB, Path("x.ipynb"), handed_out(FULL.slug))


def graded(*cells: str | dict[str, Any]) -> ExerciseResult:
    submission = read(*cells)
    return results_of(submission, reference(), Inside(submission), [7])[0]  # type: ignore[arg-type]


# state made by calls: each notebook makes AXIS 1 in its own way

STATE: dict[str, Sequence[str]] = {
    "in place": ["T = torch.zeros(1, dtype=torch.long)\nT.fill_(1)", RIGHT.format("T.item()")],
    "torch's other ways": [
        "T = torch.zeros(2)\ntorch.nn.init.ones_(T)\nT[0:1].add_(0)",
        RIGHT.format("int(T[0])"),
    ],
    "copy": ["T = torch.zeros(())\nT.copy_(torch.tensor(1.0))", RIGHT.format("int(T)")],
    "sort": ["L = [5, 1, 3]\nL.sort()", RIGHT.format("L[0]")],
    "reverse, pop": ["L = [0, 1]\nL.reverse()\nL.pop()", RIGHT.format("L[-1]")],
    "deque": ["from collections import deque\nL = deque([2])\nL.appendleft(1)", RIGHT.format("L[0]")],
    "remove, insert": ["L = [7, 2]\nL.remove(7)\nL.insert(0, 1)", RIGHT.format("L[0]")],
    "del": ["L = [0, 1]\ndel L[0]", RIGHT.format("L[0]")],
    "numpy": ["A = np.zeros(1, int)\nA.fill(1)", RIGHT.format("int(A[0])")],
    "numpy's sort": ["A = np.array([4, 1])\nA.sort()", RIGHT.format("int(A[0])")],
    "shuffle": ["import random\nL = [1, 1]\nrandom.shuffle(L)", RIGHT.format("L[0]")],
    "heap": ["import heapq\nL = [3, 1]\nheapq.heapify(L)", RIGHT.format("L[0]")],
    "a function with global": [
        "def configure():\n    global AXIS\n    AXIS = 1\nconfigure()",
        RIGHT.format("AXIS"),
    ],
    "a function that calls one": [
        "def inner():\n    global AXIS\n    AXIS = 1\ndef outer():\n    inner()\nouter()",
        RIGHT.format("AXIS"),
    ],
    "a method with global": [
        "class C:\n    def set(self):\n        global AXIS\n        AXIS = 1\nC().set()",
        RIGHT.format("AXIS"),
    ],
    "a constructor with global": [
        "class C:\n    def __init__(self):\n        global AXIS\n        AXIS = 1\nc = C()",
        RIGHT.format("AXIS"),
    ],
    "a global that is read and made again": [
        "AXIS = 0",
        "def bump():\n    global AXIS\n    AXIS += 1\nbump()",
        RIGHT.format("AXIS"),
    ],
    "a function that fills a table": [
        "TABLE = {}",
        "def fill():\n    TABLE['a'] = 1\nfill()",
        RIGHT.format("TABLE['a']"),
    ],
    "a function that appends": ["L = []", "def fill():\n    L.append(1)\nfill()", RIGHT.format("L[0]")],
    "globals": ["globals()['AXIS'] = 1", RIGHT.format("AXIS")],
    "globals by a variable": ["for n in ('AXIS', 'B'):\n    globals()[n] = 1", RIGHT.format("AXIS")],
    "globals, updated": ["globals().update(AXIS=1)", RIGHT.format("AXIS")],
    "globals, updated by a dict": ["globals().update({'AXIS': 1})", RIGHT.format("AXIS")],
    "exec": ["exec('AXIS = 1')", RIGHT.format("AXIS")],
    "exec of lines": ["exec('import math\\nAXIS = int(math.cos(0))')", RIGHT.format("AXIS")],
    "exec of a variable": ["SOURCE = 'AXIS = 1'", "exec(SOURCE)", RIGHT.format("AXIS")],
    "%time": ["%time AXIS = 1", RIGHT.format("AXIS")],
    "%time in a block": ["if True:\n    %time AXIS = 1", RIGHT.format("AXIS")],
    "an argument that is filled": [
        "L = []",
        "def fill(where):\n    where.append(1)",
        "fill(L)",
        RIGHT.format("L[0]"),
    ],
    "an argument by name": [
        "D = {}",
        "def fill(into):\n    into['a'] = 1",
        "fill(into=D)",
        RIGHT.format("D['a']"),
    ],
    "an argument in a list": [
        "D = {}",
        "def fill(all):\n    all[0]['a'] = 1",
        "fill([D])",
        RIGHT.format("D['a']"),
    ],
    "an argument in an assignment": [
        "L = []",
        "def f(x):\n    x.append(1)\n    return 3",
        "y = f(L)",
        RIGHT.format("L[0]"),
    ],
    "an object's own method": [
        "class C:\n    axis = 0\n    def setup(self):\n        self.axis = 1",
        "c = C()\nc.setup()",
        RIGHT.format("c.axis"),
    ],
    "an object that fills another": [
        "L = []\nclass C:\n    def go(self, where):\n        where += [1]",
        "C().go(L)",
        RIGHT.format("L[0]"),
    ],
    "map": ["L = []", "list(map(L.append, [1]))", RIGHT.format("L[0]")],
    "torch.save and load": [
        "W = torch.ones(1)\ntorch.save(W, 'w.pt')",
        "A = torch.load('w.pt')",
        RIGHT.format("int(A[0])"),
    ],
    "a file by a variable": [
        "from pathlib import Path\nWHERE = Path('a.txt')",
        "WHERE.write_text('1')",
        "AXIS = int(WHERE.read_text())",
        RIGHT.format("AXIS"),
    ],
    "a file by open": [
        "with open('b.txt', 'w') as f:\n    f.write('1')",
        "with open('b.txt') as f:\n    AXIS = int(f.read())",
        RIGHT.format("AXIS"),
    ],
    "a file by numpy": ["np.save('c.npy', np.ones(1))", "A = np.load('c.npy')", RIGHT.format("int(A[0])")],
    "a file by json": [
        "import json\njson.dump([1], open('d.json', 'w'))",
        "def axis():\n    return json.load(open('d.json'))[0]",
        RIGHT.format("axis()"),
    ],
    "a walrus": ["(AXIS := 1)", RIGHT.format("AXIS")],
    "match": ["match {'a': 1}:\n    case {'a': AXIS}:\n        pass", RIGHT.format("AXIS")],
    "with": ["import contextlib\nwith contextlib.nullcontext(1) as AXIS:\n    pass", RIGHT.format("AXIS")],
    "a table that a decorator fills": [
        "TABLE = {}\ndef entered(f):\n    TABLE[f.__name__] = 1\n    return f",
        "@entered\ndef mean(x):\n    return x",
        RIGHT.format("TABLE['mean']"),
    ],
    "a table that a decorator with a name fills": [
        "TABLE = {}\ndef entered(name):\n    def enter(f):\n        TABLE[name] = 1\n    return enter",
        "@entered('a')\ndef mean(x):\n    return x",
        RIGHT.format("TABLE['a']"),
    ],
    "a table of subclasses": [
        "class Base:\n    known = {}\n    def __init_subclass__(cls):\n        Base.known[cls.__name__] = 1",
        "class Mean(Base):\n    pass",
        RIGHT.format("Base.known['Mean']"),
    ],
    "singledispatch": [
        "from functools import singledispatch\n@singledispatch\ndef axis(x):\n    raise TypeError",
        "@axis.register\ndef _(x: int):\n    return 1",
        RIGHT.format("axis(3)"),
    ],
    "a queue": ["from queue import Queue\nQ = Queue()\nQ.put(1)\nAXIS = Q.get()", RIGHT.format("AXIS")],
    "next": ["IT = iter([5, 1])\nnext(IT)\nAXIS = next(IT)", RIGHT.format("AXIS")],
    "a file in a folder": [
        "import os\nos.makedirs('kept', exist_ok=True)",
        "open('kept/a.txt', 'w').write('1')",
        RIGHT.format("int(open('kept/a.txt').read())"),
    ],
    "setattr on a class": ["class P:\n    pass\nsetattr(P, 'axis', 1)", RIGHT.format("P.axis")],
}


@pytest.mark.parametrize("name", STATE)
def test_names_mean_what_they_mean_in_a_run_from_top_to_bottom(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = graded("import numpy as np", *STATE[name])
    assert result.status == "passed", result.message


def test_a_change_below_the_answer_does_not_count() -> None:
    assert graded("L = [1, 9]", RIGHT.format("L[0]"), "L.reverse()").status == "passed"
    assert (
        graded("AXIS = 1", RIGHT.format("AXIS"), "def f():\n    global AXIS\n    AXIS = 5\nf()").status
        == "passed"
    )


@pytest.mark.parametrize("below", ["del clip_logits", "del x, clip_logits", "x = 1\ndel clip_logits"])
def test_a_name_that_is_deleted_below_is_no_other_answer(below: str) -> None:
    assert graded(RIGHT.format(1), below).status == "passed"


def test_what_ran_beside_the_answer_is_said() -> None:
    result = graded("L = []", "def fill(x):\n    x.append(1)", "fill(L)", RIGHT.format("L[0]"))
    assert result.message.endswith("; run with cells 2, 3 that may change what it uses")


def test_experiments_still_do_not_run() -> None:
    loop = "while True:\n    clip_logits(P['net'], P)\n    print(P, torch)"
    assert graded("P = {'axis': 1}", RIGHT.format("P['axis']"), loop).status == "passed"
    assert graded("P = {'axis': 1}", f"net = 3\n{loop}", RIGHT.format("P['axis']")).status == "passed"


def test_a_stub_as_it_was_handed_out_is_not_run() -> None:
    from efficientlab.environment import ROOT

    raw = json.loads((ROOT / "labs" / f"{FULL.slug}.ipynb").read_text(encoding="utf-8"))
    submission = parse_notebook(raw, FULL, Path("x.ipynb"), handed_out(FULL.slug))
    assert submission.untouched == {e.id for e in FULL.exercises if e.check}
    nowhere = SimpleNamespace(sees_all=False, can_be_shared=False)  # a box that runs nothing
    assert results_of(submission, reference(), nowhere, [7])[0].status == "unwritten"  # type: ignore[arg-type]
    for cell in raw["cells"]:
        if cell["metadata"].get("nbgrader", {}).get("grade_id") == "ex-4-1":
            cell["source"] = [*cell["source"], "\nMINE = 1"]
    changed = parse_notebook(raw, FULL, Path("x.ipynb"), handed_out(FULL.slug))
    assert submission.untouched - changed.untouched == {"4.1"}


def test_a_stub_below_the_answer_is_no_answer() -> None:
    stub = code_of("ex-4-1")
    assert graded(RIGHT.format(1), stub).status == "passed"
    assert graded(stub).status == "unwritten"
    assert graded(RIGHT.format(2), stub).status == "failed"


@pytest.mark.parametrize(
    "change",
    [
        lambda stub: f"{stub}\n# see above",
        lambda stub: stub.replace("raise NotImplementedError(", "raise  NotImplementedError( "),
        lambda stub: stub.replace('"', "'") if '"""' not in stub else f"\n\n{stub}\n\n",
    ],
)
def test_a_stub_that_was_formatted_is_no_answer_either(change: Callable[[str], str]) -> None:
    stub = {"cell_type": "code", "source": change(code_of("ex-4-1")), "metadata": {}}
    assert graded(RIGHT.format("1"), stub).status == "passed"
    assert graded(stub).status == "unwritten"


def test_an_answer_below_a_magic_that_does_not_run_it_is_named() -> None:
    assert graded(f"%%memit\n{RIGHT.format(1)}").status == "passed"
    missing = graded(f"%%writefile a.py\n{RIGHT.format(1)}")
    assert (missing.status, missing.message) == (
        "missing",
        "cell 1 is a %%writefile cell and was skipped: take its first line away",
    )


def test_a_parameter_that_is_made_anew_passes_no_gradient_on() -> None:
    answer = RIGHT.format(1).replace("return ", "return torch.nn.Parameter(") + ")"
    assert "no gradient comes through" in graded(answer).message


def test_a_star_import_that_failed_is_named() -> None:
    result = graded("from helpers import *", RIGHT.format("AXIS"))
    assert "`AXIS` was not made: No module named 'helpers' (cell 1, line 1)" in result.message


# what a front end gives


@pytest.mark.parametrize(
    "cells",
    [
        [
            RIGHT.format("1").replace(
                ":\n", ":\n    display(video.shape)\n    display(video, display_id=True).update(3)\n"
            )
        ],
        ["IN_COLAB = 'google.colab' in str(get_ipython())", RIGHT.format("2 if IN_COLAB else 1")],
        [
            "KERNEL = get_ipython().__class__.__name__ == 'ZMQInteractiveShell'",
            RIGHT.format("1 if KERNEL else 2"),
        ],
        ["KERNEL = 'IPKernelApp' in get_ipython().config", RIGHT.format("1 if KERNEL else 2")],
        [
            "get_ipython().run_line_magic('matplotlib', 'inline')\nget_ipython().system('ls')\nA = 1",
            RIGHT.format("A"),
        ],
        ["try:\n    get_ipython()\n    A = 1\nexcept NameError:\n    A = 2", RIGHT.format("A")],
    ],
)
def test_display_and_get_ipython_are_there(cells: list[str]) -> None:
    assert graded(*cells).status == "passed"


@pytest.mark.parametrize(
    ("cell", "use"),
    [
        ("SCALE = float(open('scale.txt').read())", "SCALE * 1"),
        ("SCALE = float(open('scale.txt').read())", "1 if SCALE else 2"),
        ("SCALE = float(open('scale.txt').read())", "SCALE[0]"),
        ("SCALE = float(open('scale.txt').read())\nMORE = SCALE + 1", "MORE"),
        ("def f():\n    return SCALE\nSCALE = float(open('scale.txt').read())", "f()"),
        ("SCALE = float(open('scale.txt').read())\nclass C:\n    s = SCALE", "C.s"),
    ],
)
def test_a_constant_that_was_not_made_says_why(cell: str, use: str) -> None:
    result = graded(cell, RIGHT.format(use))
    assert result.status == "error"
    assert "was not made: " in result.message
    assert "[Errno 2] No such file or directory: 'scale.txt' (cell 1, line " in result.message
    assert "Unbound" not in result.message and "unsupported" not in result.message


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="this Python reads it")
@pytest.mark.parametrize(
    "source",
    [
        'def clip_logits(backbone, video):\n    print(f"frames {info["t"]}")',
        "type Clip = Tensor",
        "def clip_logits[T](backbone: T, video):\n    return video",
        "class Box[T]:\n    pass",
    ],
)
def test_a_newer_pythons_syntax_is_named_as_such(source: str) -> None:
    marked = {"cell_type": "code", "metadata": {"nbgrader": {"grade_id": "ex-4-1"}}, "source": source}
    assert "Python 3.12" in graded(marked).message


# answers that are no code


@pytest.mark.parametrize("kind", ["markdown", "raw"])
@pytest.mark.parametrize("metadata", [{"nbgrader": {"grade_id": "ex-4-1"}}, {}])
def test_an_answer_that_became_text_is_read(kind: str, metadata: dict[str, Any]) -> None:
    cells = ["x = 1", {"cell_type": kind, "metadata": metadata, "source": RIGHT.format("1")}]
    assert graded(*cells).status == "passed"
    assert "cell 2 is a" in read(*cells).notes[0] and "make it a code cell" in read(*cells).notes[0]


def test_an_answer_that_is_no_code_is_named() -> None:
    text = f"My answer:\n\n```python\n{RIGHT.format('1')}\n```"
    cell = {"cell_type": "markdown", "metadata": {"nbgrader": {"grade_id": "ex-4-1"}}, "source": text}
    other = {"cell_type": "markdown", "metadata": {"nbgrader": {"grade_id": "ex-4-9"}}, "source": "Because."}
    assert graded(cell, other).message == "cell 1 is a Markdown cell: make it a code cell"


# written answers


def text(source: str, grade_id: str = "", kind: str = "markdown") -> dict[str, Any]:
    return {
        "cell_type": kind,
        "metadata": {"nbgrader": {"grade_id": grade_id}} if grade_id else {},
        "source": source,
    }


@cache
def question() -> tuple[str, str, str]:
    """The question 4.9 as it is handed out, the stub below it, and the cell that follows."""
    from efficientlab.environment import ROOT

    raw = json.loads((ROOT / "labs" / f"{FULL.slug}.ipynb").read_text(encoding="utf-8"))["cells"]
    at = next(i for i, c in enumerate(raw) if c["metadata"].get("nbgrader", {}).get("grade_id") == "ex-4-9")
    before, stub, after = ("".join(cell["source"]) for cell in raw[at - 1 : at + 2])
    return before, stub, after


WRITTEN = {
    "in its cell": lambda q, s: [text(q), text("Because.", "ex-4-9")],
    "with the stub kept": lambda q, s: [text(q), text(f"{s}\n\nBecause.", "ex-4-9")],
    "below": lambda q, s: [text(q), text(s, "ex-4-9"), text("Because.")],
    "above": lambda q, s: [text(q), text("Because."), text(s, "ex-4-9")],
    "in code below": lambda q, s: [text(q), text(s, "ex-4-9"), text("Because.", kind="code")],
    "below a magic": lambda q, s: [text(q), text(s, "ex-4-9"), text("%%markdown\nBecause.", kind="code")],
    "in raw below": lambda q, s: [text(q), text(s, "ex-4-9"), text("Because.", kind="raw")],
    "in the question": lambda q, s: [text(f"{q}\n\nBecause."), text(s, "ex-4-9")],
    "under a heading": lambda q, s: [text(q), text(s, "ex-4-9"), text("# Because.")],
    "as code": lambda q, s: [text(q), text("Because.", "ex-4-9", "code")],
    "without metadata": lambda q, s: [text(q), text(s), text("Because.")],
    "without the question": lambda q, s: [text("Because.", "ex-4-9")],
}


@pytest.mark.parametrize("name", WRITTEN)
def test_a_written_answer_is_found_beside_its_cell(name: str) -> None:
    before, stub, after = question()
    submission = read(*WRITTEN[name](before, stub), text(after), text("My own notes."))
    assert submission.written["4.9"].strip("# ") == "Because."


@pytest.mark.parametrize(
    "elsewhere",
    [
        "# Answers\n\n4.9: Because.",
        "**Answer to 4.9** Because.",
        "### Exercise 4.9\nBecause.",
        "%md\n- 4.9 Because.",
    ],
)
def test_a_written_answer_at_the_end_is_found_by_its_number(elsewhere: str) -> None:
    before, stub, after = question()
    kind = "code" if elsewhere.startswith("%") else "markdown"
    notes = [text("4.90 is my best loss"), text("as in 4.9")]
    submission = read(text(before), text(stub, "ex-4-9"), text(after), *notes, text(elsewhere, kind=kind))
    assert submission.written["4.9"] == elsewhere.removeprefix("%md\n")


def test_an_answer_in_two_cells_is_read_whole() -> None:
    before, _, after = question()
    found = read(
        text(before), text("Because", "ex-4-9"), text("of that."), text(after), text("Notes.")
    ).written["4.9"]
    assert found == "Because\n\nof that."


# sizes


def as_file(tmp_path: Path, outputs: list[Any], metadata: dict[str, Any] | None = None) -> Path:
    cell = {"cell_type": "code", "metadata": {}, "source": RIGHT.format("1"), "outputs": outputs}
    tricky = 'x = "[{\\"outputs\\": [1, 2"\ny = {"outputs": [1]}'
    cells = [{"cell_type": "code", "metadata": {}, "source": tricky, "outputs": []}, cell]
    path = tmp_path / "x.ipynb"
    path.write_text(
        json.dumps({"cells": cells, "metadata": metadata or {}, "nbformat": 4, "nbformat_minor": 5})
    )
    return path


@pytest.mark.parametrize(
    "kind",
    ["printed numbers", "plotly", "pictures", "deep"]
    + [pytest.param(kind, marks=pytest.mark.slow) for kind in ("widgets", "tokens")],
)
def test_large_outputs_do_not_matter(kind: str, tmp_path: Path) -> None:
    from efficientlab.grading.reading.submission import read_submission

    outputs: dict[str, list[Any]] = {
        "printed numbers": [{"text": str([[0.123456] * 1000] * 700)}],
        "plotly": [{"data": {"application/vnd.plotly.v1+json": {"x": [0.5] * 2_000_000}}}],
        "pictures": [{"data": {"image/png": "A" * 30_000_000}}],
        "widgets": [],
        "deep": [{"data": {"outputs": [{"outputs": [{}]}]}}],
        "tokens": [[]] * 1_500_000,
    }
    state = {"widgets": {"state": {str(i): [i] for i in range(600_000)}}} if kind == "widgets" else {}
    submission = read_submission(as_file(tmp_path, outputs[kind], state), LAB)
    assert submission.answers("4.1")[0].source == RIGHT.format("1")
    assert submission.cells[0].source.startswith('x = "[{') and submission.notes == ()


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "the file is empty"),
        (b" \n", "the file is empty"),
        (b"<!DOCTYPE html><html>Please log in", "it is a web page"),
        (b"\n<html>", "it is a web page"),
        (b"%PDF-1.7", "it is a PDF"),
        (b"PK\3\4docx", "it is a zip archive, or an office document, under another name; hand in the .ipynb"),
        (b"Rar!\x1a", "it is an archive"),
        (b"\x1f\x8b\x08", "it is an archive"),
        (b"\x89PNG\r\n", "it is a picture"),
        (b"import torch\n\nx = 1\n", "it is a Python script"),
        (b"# my lab\nx = 1\n", "it is a Python script"),
        (b'{\n "cells": [\n<<<<<<< HEAD\n {},\n=======\n>>>>>>> b\n]}', "line 3 holds git's conflict marks"),
        (b'{"cells": [{"source": "def f(', "it breaks off in the middle"),
        (b"\0" * 4096, "the file is empty"),
        (b"{\\rtf1\\ansi hello}", "a text of a word processor"),
        (b"version https://git-lfs.github.com/spec/v1\n", "a pointer of Git LFS"),
        (b"---\njupyter:\n", "as jupytext writes it"),
        (b"[InternetShortcut]\r\nURL=x", "it is a link"),
        (b"Delivered-To: ta@example.edu\r\nFrom: ann", "it is an e-mail"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an office document, or an e-mail of Outlook"),
        (b"lab4".ljust(257, b"\0") + b"ustar\x0000", "it is an archive"),
        (b"\0\0\0\x18ftypheic", "it is a picture or a film"),
        (b'<?xml version="1.0"?>\n<!DOCTYPE plist>', "it is a link"),
        (b"hello", ".ipynb is JSON"),
    ],
)
def test_what_is_no_notebook_is_called_what_it_is(data: bytes, sentence: str, tmp_path: Path) -> None:
    from efficientlab.grading.reading.submission import SubmissionError, read_submission

    (tmp_path / "x.ipynb").write_bytes(data)
    with pytest.raises(SubmissionError, match="this is not a notebook: ") as error:
        read_submission(tmp_path / "x.ipynb", LAB)
    assert sentence in str(error.value)


@pytest.mark.parametrize("behind", ["\n<html>", "}]}", '{"cells": []}'])
def test_what_stands_behind_a_notebook_does_not_matter(behind: str, tmp_path: Path) -> None:
    from efficientlab.grading.reading.submission import read_submission

    path = as_file(tmp_path, [])
    path.write_text(path.read_text() + behind)
    assert read_submission(path, LAB).answers("4.1")


def test_photographs_in_answers_and_zeros_behind_a_file_do_not_matter(tmp_path: Path) -> None:
    from efficientlab.grading.reading.submission import read_submission

    path = as_file(tmp_path, [])
    raw = json.loads(path.read_text())
    photograph = {"image/png": "A" * 40_000_000}
    raw["cells"].append({"cell_type": "markdown", "source": "see", "attachments": {"a.png": photograph}})
    path.write_bytes(json.dumps(raw).encode() + bytes(4096))
    assert read_submission(path, LAB).answers("4.1")
