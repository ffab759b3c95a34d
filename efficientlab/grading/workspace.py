"""The namespace in which one answer lives.

Each exercise gets a namespace of its own: the lab's prelude, the definitions of the student's other cells, the
answers that it builds on, and its own cell. So one broken cell costs its own exercise and no other; and where
the package has a right implementation of an exercise that a later one builds on, the later one is run with
that (`Check.stand_in`), and does not pay for the earlier slip.
"""

from __future__ import annotations

import ast
import linecache
from collections.abc import Sequence
from typing import Any

from efficientlab.exercises.contract import AnswerError, Exercise
from efficientlab.exercises.lab import Lab
from efficientlab.exercises.student import answer_error
from efficientlab.grading.submission import Cell


class Workspace:
    """Runs a submission's cells, exercise by exercise, on demand."""

    def __init__(self, lab: Lab, prelude: Sequence[str], cells: Sequence[Cell]) -> None:
        self.lab = lab
        self.prelude = prelude
        self.cells = cells
        self._answers: dict[str, Any] = {}

    def answer(self, exercise_id: str) -> Any:
        """The object that the student's code defines for an exercise; `AnswerError` if there is none."""
        if exercise_id not in self._answers:
            self._answers[exercise_id] = self._run(self.lab[exercise_id])
        return self._answers[exercise_id]

    def _run(self, exercise: Exercise) -> Any:
        assert exercise.check is not None
        needed = (*exercise.check.needs, exercise.id)
        if not any(exercise.id in cell.exercises for cell in self.cells):
            raise AnswerError("NotFound", f"no cell defines `{exercise.check.name}`")
        namespace: dict[str, Any] = {"__name__": "__main__"}
        for number, source in enumerate(self.prelude):
            run_source(source, f"<prelude {number}>", namespace)
        failure: AnswerError | None = None
        for cell in self.cells:
            name = f"<cell {cell.number}>"
            mine = [i for i in needed if i in cell.exercises]
            try:
                if mine:
                    run_source(cell.source, name, namespace)
                elif not cell.exercises:
                    run_source(_definitions_only(cell.source), name, namespace)
            except AnswerError as error:
                if exercise.id in mine:
                    failure = AnswerError(error.kind, f"{error.text} (cell {cell.number})", error.trace)
            self._stand_in(exercise, namespace)
        if failure is not None:
            raise failure
        if exercise.check.name not in namespace:
            raise AnswerError("NotFound", f"its cell runs but does not define `{exercise.check.name}`")
        return namespace[exercise.check.name]

    def _stand_in(self, exercise: Exercise, namespace: dict[str, Any]) -> None:
        assert exercise.check is not None
        for needed in exercise.check.needs:
            earlier = self.lab[needed].check
            if earlier is not None and earlier.stand_in is not None:
                namespace[earlier.name] = earlier.stand_in()


def run_source(source: str, filename: str, namespace: dict[str, Any]) -> None:
    """Execute source text under a file name that tracebacks, and `inspect.getsource`, can show."""
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
    except (SyntaxError, ValueError):
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
    except ValueError:
        return False
    return True
