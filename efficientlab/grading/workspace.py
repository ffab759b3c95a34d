"""The namespace in which one answer lives.

Each exercise gets a namespace of its own, filled in notebook order: the lab's prelude, the definitions (not the
experiments) of the student's other cells, and its own cell in full. So a helper that stands in another cell is
found, and a broken or endless cell costs its own exercise and no other.
"""

from __future__ import annotations

import ast
import hashlib
import linecache
import os
from collections.abc import Sequence
from typing import Any

import torch

from efficientlab.exercises.contract import AnswerError, Exercise
from efficientlab.exercises.lab import Lab
from efficientlab.exercises.student import answer_error
from efficientlab.grading.submission import Cell


class Workspace:
    """Runs a submission's cells, exercise by exercise, on demand."""

    def __init__(self, lab: Lab, prelude: Sequence[str], cells: Sequence[Cell]) -> None:
        self.lab = lab
        self.cells = cells
        self._answers: dict[str, Any] = {}
        self._prelude: dict[str, Any] = {"__name__": "__main__"}
        if not torch.cuda.is_available():
            os.environ["TRITON_INTERPRET"] = "1"  # for the whole process: Triton reads it again and again
        for number, source in enumerate(prelude):
            run_source(source, f"<prelude {number}>", self._prelude)

    def answer(self, exercise_id: str) -> Any:
        """The object that the student's code defines for an exercise; `AnswerError` if there is none."""
        if exercise_id not in self._answers:
            self._answers[exercise_id] = self._run(self.lab[exercise_id])
        return self._answers[exercise_id]

    def _run(self, exercise: Exercise) -> Any:
        assert exercise.check is not None
        name = exercise.check.name
        if not any(exercise.id in cell.exercises for cell in self.cells):
            raise AnswerError("NotFound", f"no cell defines `{name}`")
        namespace = dict(self._prelude)
        found: dict[str, Any] = {}  # the answer, as its own cells left it: a later cell may reuse the name
        failure: AnswerError | None = None
        for cell in self.cells:
            mine = exercise.id in cell.exercises
            if mine:
                namespace.pop(name, None)
            try:
                source = cell.source if mine else _definitions_only(cell.source)
                run_source(source, f"<cell {cell.number}>", namespace)
            except AnswerError as error:
                if mine:
                    failure = AnswerError(error.kind, f"{error.text} (cell {cell.number})", error.trace)
            if mine and name in namespace:  # also where a trial call below the definition raised
                found[name], failure = namespace[name], None
        if name in found:
            return found[name]
        raise failure or AnswerError("NotFound", f"its cell runs but does not define `{name}`")


def run_source(source: str, filename: str, namespace: dict[str, Any]) -> None:
    """Execute source text under a file name that tracebacks, and `inspect.getsource`, can show."""
    filename = f"{filename} {hashlib.sha256(source.encode()).hexdigest()[:8]}"  # one name, one text
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    try:
        exec(compile(source, filename, "exec"), namespace)
    except SyntaxError as error:
        text = f"{error.msg}, line {error.lineno}: {(error.text or '').strip()}"
        raise AnswerError("SyntaxError", text) from None
    except Exception as error:
        raise answer_error(error) from error


def _definitions_only(source: str) -> str:
    """The imports, functions, classes and literal constants of a cell: its helpers without its experiments."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ""
    keep = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef)
    body = [node for node in tree.body if isinstance(node, keep) or _is_constant(node)]
    lines = source.splitlines()
    out = [""] * len(lines)
    for node in body:
        first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
        out[first - 1 : node.end_lineno] = lines[first - 1 : node.end_lineno]
    return "\n".join(out)


def _is_constant(node: ast.stmt) -> bool:
    if not isinstance(node, ast.Assign) or not all(isinstance(t, ast.Name) for t in node.targets):
        return False
    try:
        ast.literal_eval(node.value)
    except (ValueError, TypeError, RecursionError, MemoryError):
        return False
    return True
