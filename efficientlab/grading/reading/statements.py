"""Which statements of a notebook an answer depends on: a backward slice over its top-level statements.

An answer is run without the notebook around it: its own definition, the helpers, imports and constants that it
names, and what those name in turn, in notebook order, with what changes them on the way. Experiments, training loops
and trial calls bind no name that the answer needs, so they never run; a cell that fails takes nothing with it but its
own names. Where a change cannot be seen without running (`configure(TABLE)`), the slice leaves it out; the *wide* slice
takes in whatever was handed what the answer needs.
"""

from __future__ import annotations
import __future__

import ast
import dis
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import CodeType

from efficientlab.grading.reading.changes import STAR, Changes, changes_of, effects, folders_of, names_file

MAX_FINALLY = 4  # how deep they may stand in one another: the compiler doubles each
_READS = {"LOAD_NAME", "LOAD_GLOBAL", "LOAD_FROM_DICT_OR_GLOBALS"}
_FRESH = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Import | ast.ImportFrom


@dataclass(frozen=True)
class Statement:
    """One top-level statement. It is compiled when it is needed, which most are not."""

    cell: int  # the position of its cell in the sequence of cells
    node: ast.stmt
    filename: str
    flags: int = 0  # of the `from __future__` imports above it

    @cached_property
    def code(self) -> CodeType:
        """The statement as IPython compiles it: `await` may stand at the top level."""
        module = ast.Module([self.node], type_ignores=[])
        flags = self.flags | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        return compile(module, self.filename, "exec", flags, dont_inherit=True)

    @cached_property
    def changes(self) -> Changes:
        """What running it changes."""
        return changes_of(self.node)

    @property
    def binds(self) -> set[str]:
        """The names that it binds, or whose value it changes."""
        return self.changes.binds

    @cached_property
    def uses(self) -> frozenset[str]:
        """The global names that it reads, in the bodies of its functions, too; locals are not among them.

        Short texts are among them, quoted, as they may name a file that another statement writes.
        """
        try:
            return frozenset(_reads(self.code))
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return frozenset()  # it will not run either

    @property
    def replaces(self) -> bool:
        """Whether what its names were before no longer matters, but to the statement itself."""
        if isinstance(self.node, ast.Assign):
            return all(isinstance(target, ast.Name) for target in self.node.targets)
        if isinstance(self.node, ast.AnnAssign):
            return isinstance(self.node.target, ast.Name) and self.node.value is not None
        return isinstance(self.node, _FRESH) and STAR not in self.binds


def parse_statements(cell: int, source: str, filename: str) -> list[Statement]:
    """The top-level statements of a cell's Python; `SyntaxError` where it does not parse."""
    statements = []
    flags = 0
    for node in parse_cell(source):
        statements.append(Statement(cell, node, filename, flags))
        if isinstance(node, ast.ImportFrom) and node.module == "__future__":
            for name in node.names:
                flags |= getattr(getattr(__future__, name.name, None), "compiler_flag", 0)
    return statements


def parse_cell(source: str) -> list[ast.stmt]:
    """The top-level statements of a cell as Python's parser sees them; `SyntaxError` in every case of failure."""
    try:
        body = ast.parse(source).body
    except (ValueError, RecursionError, MemoryError) as error:
        raise SyntaxError(f"this is no Python: {error}") from None
    if "finally" in source and (depth := _finally_depth(body)) > MAX_FINALLY:
        raise SyntaxError(f"`finally` stands in `finally` {depth} deep; {MAX_FINALLY} may be")
    return body


def _finally_depth(body: Sequence[ast.AST]) -> int:
    deepest = 0
    waiting = [(node, 0) for node in body]
    while waiting:
        node, depth = waiting.pop()
        deepest = max(deepest, depth)
        last = getattr(node, "finalbody", ())
        waiting += [(child, depth + (child in last)) for child in ast.iter_child_nodes(node)]
    return deepest


def needed_by(
    name: str, statements: Sequence[Statement], last_cell: int, wide: bool = False
) -> list[Statement]:
    """The statements that `name` depends on, in order; see `Slicer.needed_by`."""
    return Slicer(statements).needed_by(name, last_cell, wide)


class Slicer:
    """A notebook's statements with who binds and who touches each name, for one slice after another."""

    def __init__(self, statements: Sequence[Statement]) -> None:
        self.statements = statements
        self.binders: dict[str, list[int]] = {}
        self.touchers: dict[str, list[int]] = {}
        called = effects([statement.changes for statement in statements])
        for i, statement in enumerate(statements):
            changed = statement.changes
            binds = changed.binds.union(*(called.get(function, ()) for function in changed.calls))
            for bound in binds:
                self.binders.setdefault(bound, []).append(i)
            for touched in changed.touches - binds:
                self.touchers.setdefault(touched, []).append(i)

    def needed_by(self, name: str, last_cell: int, wide: bool = False) -> list[Statement]:
        """The statements that `name` depends on, in order.

        Names are resolved as in a run from top to bottom that stops after cell `last_cell`, where the answer stands;
        what is not bound by then is looked for in the later cells. A `wide` slice takes what may change a name, too.
        """
        return [self.statements[i] for i in _Slice(self, last_cell, wide).of(name)]


class _Slice:
    """The state of one walk backwards. Each place of a name is walked through once, however often it is read."""

    def __init__(self, slicer: Slicer, last_cell: int, wide: bool) -> None:
        self.statements = slicer.statements
        self.binders = slicer.binders
        self.touchers = slicer.touchers if wide else {}
        self.end = sum(statement.cell <= last_cell for statement in self.statements)
        self.chosen: set[int] = set()
        self.waiting: set[tuple[str, int]] = set()  # names, and the position at which each is read
        self.seen: set[tuple[str, int]] = set()
        self.made: dict[
            tuple[str, int], int
        ] = {}  # of a place that was walked through: where its name was made
        self.touched: set[tuple[str, int]] = set()

    def of(self, name: str) -> list[int]:
        self._want({(name, self.end), (STAR, self.end)})
        while self.waiting:
            self._resolve(*self.waiting.pop())
        return sorted(self.chosen)

    def _want(self, names: set[tuple[str, int]]) -> None:
        new = names - self.seen
        self.waiting |= new
        self.seen |= new

    def _resolve(self, wanted: str, at: int) -> None:
        places = self.binders.get(wanted, [])
        first = bisect_left(places, at)
        if not first and at == self.end:
            first = len(places)  # nothing above binds it: what stands below the answer does
        made_at = -1
        new: list[tuple[str, int]] = []
        for position in range(first - 1, -1, -1):
            i = places[position]
            if (wanted, i) in self.made:
                made_at = self.made[wanted, i]
                break
            new.append((wanted, i))
            self._choose(i)
            if wanted != STAR and self._makes(wanted, i):
                made_at = i
                break
        self.made |= dict.fromkeys(new, made_at)
        self._resolve_touches(wanted, made_at, at)

    def _makes(self, name: str, i: int) -> bool:
        return self.statements[i].replaces and name in self.statements[i].binds

    def _resolve_touches(self, wanted: str, made_at: int, at: int) -> None:
        """In a wide slice: what was handed this name since it was made. Functions and modules are not changed so."""
        is_file = wanted[:1] in "'\""
        is_value = made_at >= 0 and not isinstance(self.statements[made_at].node, _FRESH)
        places = self.touchers.get(wanted, []) if is_file or is_value or wanted == STAR else []
        for position in range(bisect_left(places, at) - 1, -1, -1):
            i = places[position]
            if i < made_at or (wanted, i) in self.touched:
                break
            self.touched.add((wanted, i))
            self._choose(i)

    def _choose(self, i: int) -> None:
        if i in self.chosen:
            return
        self.chosen.add(i)
        # read when the statement runs, or by its function's body when the answer is called
        self._want({(used, when) for used in self.statements[i].uses for when in (i, self.end)})


def _reads(code: CodeType) -> Iterator[str]:
    waiting = [code]
    while waiting:
        part = waiting.pop()
        for instruction in dis.get_instructions(part):
            if instruction.opname in _READS:
                yield instruction.argval
        for constant in part.co_consts:
            if isinstance(constant, CodeType):
                waiting.append(constant)
            elif isinstance(constant, str) and names_file(constant):
                yield from map(repr, (constant, *folders_of(constant)))


def bound_names(node: ast.stmt) -> Iterator[str]:
    """The names that the statement binds at the top level of a notebook, or whose value it changes."""
    yield from changes_of(node).binds
