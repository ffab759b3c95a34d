"""The namespace in which one answer lives.

Each exercise gets a namespace of its own: the lab's prelude, and then the statements of the student's cells that the
answer depends on, in notebook order (see `statements`). So a helper that stands in another cell is found, and a
broken or endless cell costs its own exercise and no other.
"""

from __future__ import annotations

import ast
import asyncio
import hashlib
import inspect
import linecache
import re
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from types import CodeType, ModuleType
from typing import Any, NoReturn

from efficientlab.exercises.contract import AnswerError, Exercise
from efficientlab.exercises.lab import Lab
from efficientlab.exercises.student import answer_error
from efficientlab.grading.reading.cell import Cell
from efficientlab.grading.reading.changes import STAR
from efficientlab.grading.reading.statements import Reach, Slicer, Statement, parse_statements
from efficientlab.grading.running.frontend import frontend_names


class Workspace:
    """Runs what a submission's answers depend on, exercise by exercise, on demand."""

    def __init__(self, lab: Lab, prelude: Sequence[str], cells: Sequence[Cell]) -> None:
        self.lab = lab
        self.is_main = False  # in a process of its own what runs is `__main__`, as in a kernel
        self._prelude: dict[str, Any] = {"__name__": "__main__"}
        self._prelude |= frontend_names(self._prelude)
        self._parsed: dict[tuple[int, Cell], list[Statement] | AnswerError] = {}  # by position and cell
        for number, source in enumerate(prelude):
            for statement in parse_statements(number, source, _named(source, f"<prelude {number}>")):
                _run(statement, self._prelude)
        self.load(cells)

    def load(
        self, cells: Sequence[Cell], reach: Reach = "needs", picks: Sequence[Sequence[int]] | None = None
    ) -> None:
        """Take these cells in place of the ones before; the prelude stays as it ran, and what both have is parsed once.

        `reach` says whether statements are run as well that only may change what an answer needs (see `statements`).
        `picks` are the places in each cell of the statements that run, where that was found before.
        """
        self.cells = cells
        self.reach = reach
        self._answers: dict[str, Any] = {}
        self._modules: dict[str, ModuleType] = {}  # whose namespace an exercise has
        self._failures: dict[str, dict[str, AnswerError]] = {}  # names that could not be made, by exercise
        self._parsed = {place: self._parsed.get(place) or _parse(*place) for place in enumerate(cells)}
        parsed = [[] if isinstance(part, AnswerError) else part for part in self._parsed.values()]
        self._statements = [statement for part in parsed for statement in part]
        self._picked: list[Statement] = []
        if picks is not None:
            pairs = zip(parsed, picks, strict=True)
            self._picked = [one for part, places in pairs for one in part if one.place in places]
        self._slicer: Slicer | None = None

    def answer(self, exercise_id: str) -> Any:
        """The object that the student's code defines for an exercise; `AnswerError` if there is none."""
        if exercise_id not in self._modules:
            self._modules[exercise_id] = ModuleType("__main__")
        if self.is_main:
            sys.modules["__main__"] = self._modules[exercise_id]
        if exercise_id not in self._answers:
            self._answers[exercise_id] = self._find(self.lab[exercise_id])
        return self._answers[exercise_id]

    def explain(self, exercise_id: str, error: AnswerError) -> AnswerError:
        """The error that an answer raised; where it missed a name whose own statement failed, why that failed."""
        return _explained(error, self._failures.get(exercise_id, {}))

    def _places(self, exercise: Exercise) -> tuple[list[int], list[int]]:
        """The positions of an exercise's cells, and of those that bind its name."""
        assert exercise.check is not None
        name = exercise.check.name
        mine = [i for i, cell in enumerate(self.cells) if exercise.id in cell.exercises]
        return mine, [s.cell for s in self._statements if s.cell in mine and name in s.binds]

    def _find(self, exercise: Exercise) -> Any:
        assert exercise.check is not None
        name = exercise.check.name
        mine, defining = self._places(exercise)
        if not defining:
            self._refuse(name, mine)
        namespace = vars(self._modules[exercise.id])
        namespace |= self._prelude
        namespace |= frontend_names(namespace)
        failures = self._failures[exercise.id] = {}
        for statement in self._picked or self._needed_by(name, defining[-1]):
            try:
                _run(statement, namespace)
            except AnswerError as error:
                where = f"cell {self.cells[statement.cell].number}, line {statement.node.lineno}"
                failure = AnswerError(error.kind, f"{error.text} ({where})", error.trace)
                failure = _explained(failure, failures)
                failures |= dict.fromkeys(statement.binds - namespace.keys(), failure)
        _finish_tasks()
        if name in failures and name not in namespace:
            raise failures[name]
        if name not in namespace:
            where = f"cell {self.cells[defining[-1]].number}"
            raise AnswerError("NotFound", f"{where} runs but does not define `{name}`")
        return namespace[name]

    def _refuse(self, name: str, mine: Sequence[int]) -> NoReturn:
        """Say why no cell of an exercise, at the positions `mine`, binds its name."""
        if not mine:
            raise AnswerError("NotFound", f"no cell defines `{name}`")
        for statement in self._statements:
            if statement.cell == mine[-1] and isinstance(statement.node, ast.Raise):
                _run(statement, dict(self._prelude))  # a stub without a function around it
        broken = [e for i in mine if isinstance(e := self._parsed[i, self.cells[i]], AnswerError)]
        where = f"cell {self.cells[mine[-1]].number}"
        raise broken[-1] if broken else AnswerError("NotFound", f"{where} does not define `{name}`")

    def _needed_by(self, name: str, last_cell: int) -> list[Statement]:
        self._slicer = self._slicer or Slicer(self._statements)
        return self._slicer.needed_by(name, last_cell, self.reach)


def _parse(position: int, cell: Cell) -> list[Statement] | AnswerError:
    """The statements of a cell; where it does not parse, why."""
    try:
        return parse_statements(position, cell.source, _named(cell.source, f"<cell {cell.number}>"))
    except SyntaxError as error:
        return _syntax_error(error, cell)


def _explained(error: AnswerError, failures: Mapping[str, AnswerError]) -> AnswerError:
    """Why a name is missing, where that is the error: the statement that would have made it failed."""
    missing = re.match(r"name '(\w+)' is not defined", error.text) if error.kind == "NameError" else None
    failure = (failures.get(missing[1]) or failures.get(STAR)) if missing else None
    if missing is None or failure is None:
        return error
    return AnswerError(failure.kind, f"`{missing[1]}` was not made: {failure.text}", failure.trace)


def _run(statement: Statement, namespace: dict[str, Any]) -> None:
    try:
        code = statement.code
        if code.co_flags & inspect.CO_COROUTINE or not _NEEDS_LOOP.isdisjoint(code.co_names):
            _loop().run_until_complete(_awaited(code, namespace))
        else:
            eval(code, namespace)
    except (Exception, SystemExit) as error:  # a stray `exit()` ends no notebook
        raise answer_error(error) from error


_NEEDS_LOOP = {"create_task", "ensure_future", "get_running_loop", "run_coroutine_threadsafe", "TaskGroup"}
TASK_SECONDS = 5.0  # for tasks that were started and not awaited, which a kernel runs between its cells


async def _awaited(code: CodeType, namespace: dict[str, Any]) -> None:
    """Run a statement as a kernel does, whose loop is running: `await` may stand in it, and tasks may be made."""
    result = eval(code, namespace)
    if inspect.iscoroutine(result):
        await result


@cache
def _loop() -> asyncio.AbstractEventLoop:
    return asyncio.new_event_loop()


def _finish_tasks() -> None:
    if _loop.cache_info().currsize and (tasks := asyncio.all_tasks(_loop())):
        _loop().run_until_complete(asyncio.wait(tasks, timeout=TASK_SECONDS))


def _named(source: str, filename: str) -> str:
    """A file name under which tracebacks and `inspect.getsource` find the text; one name, one text."""
    filename = f"{filename} {hashlib.sha256(source.encode()).hexdigest()[:8]}"
    lines = [f"{line}\n" for line in source.split("\n")]  # as Python counts them: a form feed ends no line
    linecache.cache[filename] = (len(source), None, lines, filename)
    return filename


_NEWER = re.compile(r"f-string|^\s*type\s+\w+|^\s*(?:async\s+)?(?:def|class)\s+\w+\s*\[", re.I)


def _syntax_error(error: SyntaxError, cell: Cell) -> AnswerError:
    """Where a cell does not parse; and where that is a newer Python's syntax, as Colab may have it, which is here."""
    where = f"cell {cell.number}, line {error.lineno}" if error.lineno else f"cell {cell.number}"
    line = (error.text or "").strip()
    text = f"{error.msg} ({where}): {line}".rstrip(": ")
    if sys.version_info < (3, 12) and (_NEWER.search(error.msg) or _NEWER.search(line)):
        here = f"{sys.version_info.major}.{sys.version_info.minor}"
        text += f". Is it syntax of Python 3.12, such as nested quotes in an f-string? It is checked with Python {here}"
    return AnswerError("SyntaxError", text)
