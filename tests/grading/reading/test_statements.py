"""Which statements an answer depends on: what a student expects is run, and nothing else."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

from efficientlab.environment import ROOT
from efficientlab.exercises.labs import find_lab
from efficientlab.grading.reading import submission
from efficientlab.grading.reading.outline import Outline, handed_out
from efficientlab.grading.reading.statements import (
    bound_names,
    kept_statements,
    needed_by,
    parse_cell,
    parse_statements,
)
from efficientlab.grading.reading.submission import parse_notebook


def run(name: str, *cells: str, last: int | None = None) -> object:
    """The value of `name` when only what it depends on is run; `last` is the cell of the answer."""
    statements = [s for i, cell in enumerate(cells) for s in parse_statements(i, cell, f"<cell {i}>")]
    last = max(s.cell for s in statements if name in s.binds) if last is None else last
    namespace: dict[str, object] = {}
    for statement in needed_by(name, statements, last):
        eval(statement.code, namespace)
    value = namespace[name]
    return value() if callable(value) else value


BOOM = "raise RuntimeError('an experiment ran')"


@pytest.mark.parametrize(
    ("cells", "value"),
    [
        (["def f():\n    return 1", BOOM], 1),
        ([f"{BOOM}\ndef f():\n    return 1\n{BOOM}"], 1),
        (["import math", "K = math.sqrt(16)", "def f():\n    return K"], 4.0),
        (["WIDTH = 3", "def f(k=WIDTH):\n    return k", "WIDTH = 4"], 3),
        (["def twice(g):\n    return lambda: 2 * g()", "@twice\ndef f():\n    return 3"], 6),
        (["def f():\n    return helper()", "def helper():\n    return 5"], 5),
        (["f = lambda: 4"], 4),
        (["def g():\n    return 1\nf = g", "g = None"], 1),
        (["T = {}\nT['a'] = 7\nT.update(b=1)\ndef f():\n    return T['a'] + T['b']"], 8),
        (["class A:\n    pass\nA.v = 3\nsetattr(A, 'w', 4)\ndef f():\n    return A.v + A.w"], 7),
        (["from math import *", "def f():\n    return int(pi)"], 3),
        (
            ["try:\n    import nothing_here as np\nexcept ImportError:\n    np = 9\ndef f():\n    return np"],
            9,
        ),
        (["if True:\n    def f():\n        return 1\nelse:\n    f = None"], 1),
        (["SQUARES = [i * i for i in range(4)]\ndef f():\n    return sum(SQUARES)"], 14),
        (["(n := 5)\ndef f():\n    return n"], 5),
        (["a, (b, *c) = 1, (2, 3, 4)\ndef f():\n    return a + b + sum(c)"], 10),
        (["total = 0\nfor i in range(4):\n    total += i\ndef f():\n    return total"], 6),
        (["with open('/dev/null') as file:\n    text = file.read()\ndef f():\n    return text"], ""),
        (["N = 1\ndef f():\n    global N\n    N += 1\n    return N"], 2),
        (["from __future__ import annotations\ndef f(x: Unknown = 3):\n    return x"], 3),
        (["def f():\n    def g():\n        return H\n    return g()", "H = 2"], 2),
        (["\fdef f():\n\f    return 1"], 1),
    ],
)
def test_what_the_answer_needs_is_run(cells: list[str], value: object) -> None:
    assert run("f", *cells) == value


def test_a_loop_that_shares_a_name_with_a_local_variable_is_not_run() -> None:
    assert run("f", f"for loss in range(3):\n    {BOOM}", "def f():\n    loss = 2\n    return loss") == 2


@pytest.mark.parametrize(
    "call",
    [
        "np.sort(x)",
        "np.add.at(x, 0, 1)",
        "np.random.shuffle(x)",
        "np.resize(x, 3)",
        "np.copyto(x, np.zeros(2))",
        "th.add(x, x)",
        "nn.init.zeros_(x)",
        "layers.init.zeros_(x)",
        "fn.relu_(x)",
        "x.index_add_(0, x, th.mm(x, x))",
    ],
)
def test_a_function_of_a_module_leaves_the_module_as_it_is(call: str) -> None:
    """Under whatever name it was imported."""
    modules = "import numpy as np\nimport torch as th\nfrom torch import nn\nlayers = th.nn"
    modules += "\nfrom torch.nn import functional as fn"
    helper = f"def helper(x):\n    {call}"
    trial = "made = helper(1 / 0)"  # an experiment with the helper, which the answer does not need
    answer = "def f():\n    return all([np, th, nn, layers, fn])"
    assert run("f", modules, helper, trial, answer) is True


@pytest.mark.parametrize("name", ["kernels", "init", "F", "nn", "optim", "random", "functional", "table"])
def test_what_is_made_in_the_notebook_is_no_module_whatever_it_is_called(name: str) -> None:
    change = f"{name}.append(3)\n{name}[0:0] = [1]"
    assert run("f", f"{name} = []", change, f"def f():\n    return {name}") == [1, 3]


@pytest.mark.parametrize("imported", ["from sys import path", "from sys import *"])
def test_an_object_that_was_imported_is_no_module(imported: str) -> None:
    cells = [imported, "path.append('here')\npath.remove('here')", "def f():\n    return path"]
    statements = [s for i, cell in enumerate(cells) for s in parse_statements(i, cell, f"<cell {i}>")]
    assert len(needed_by("f", statements, 2)) == 4


def test_a_helper_is_the_one_that_stood_above_the_answer() -> None:
    """As in a run from top to bottom: a later exercise may use the helper's name for something else."""
    cells = [
        "def h():\n    return 1",
        "def f():\n    return h()",
        "def h():\n    return 2",
        "def g():\n    return h()",
    ]
    assert run("f", *cells) == 1
    assert run("g", *cells) == 2


def test_of_two_definitions_the_last_one_is_run_and_the_first_is_not() -> None:
    assert run("f", f"f = {BOOM.replace('raise ', '1 / 0, ')}", "def f():\n    return 2") == 2


def test_a_definition_that_builds_on_the_one_before_gets_it() -> None:
    assert run("f", "def f():\n    return 1", "g = f\ndef f():\n    return g() + 1") == 2
    assert run("x", "x = 1", "x = x + 1", "x += 1") == 3


@pytest.mark.parametrize(
    "source",
    [
        "a" + ".b" * 100_000,
        "(" * 100_000,
        "-" * 100_000 + "1",
        "x = " + "+".join("1" * 50_000),
        "[" * 90 + "]" * 90 + "\0",
        "lambda: " * 20_000 + "1",
        "if 1:\n" + "".join(" " * i + "if 1:\n" for i in range(1, 200)) + " " * 200 + "pass",
    ],
    ids=["attributes", "parentheses", "signs", "sums", "null", "lambdas", "blocks"],
)
def test_hostile_text_is_parsed_or_refused(source: str) -> None:
    try:
        for node in parse_cell(source):
            assert set(bound_names(node)) <= {"x"}
    except SyntaxError:
        pass


def test_of_a_class_the_same_is_read_as_of_one() -> None:
    """What is kept of cells that were handed out changes nothing, wherever they stand in the next notebook."""
    lab = Outline.of(find_lab(4))
    texts = handed_out(lab.slug)
    raw = json.loads((ROOT / "labs" / f"{lab.slug}.ipynb").read_text(encoding="utf-8"))
    more = {
        "cell_type": "code",
        "metadata": {},
        "source": "def clip_logits(backbone, video):\n    return PROFILE, torch",
    }
    notebooks = [
        {**raw, "cells": [*raw["cells"][:at], more, *raw["cells"][at:]]} for at in (len(raw["cells"]), 5)
    ]

    def read(notebook: dict) -> dict:
        return parse_notebook(notebook, lab, Path("x.ipynb"), texts).to_json()

    together = [read(notebook) for notebook in notebooks]
    for notebook, found in zip(notebooks, together, strict=True):
        for kept in (
            kept_statements,
            submission._kept_python,
            submission._kept_names,
            submission._kept_imports,
        ):
            kept.cache_clear()
        assert read(notebook) == found
    assert len(together[0]["needs"]["4.1"]["cells"]) > 1


def test_pythons_warnings_of_an_answer_are_not_the_graders(recwarn: pytest.WarningsRecorder) -> None:
    (statement,) = parse_cell("x = 1if True else '\\d'")
    assert isinstance(statement, ast.Assign) and not recwarn.list
