"""Which statements of a notebook an answer depends on: a backward slice over its top-level statements.

An answer is run without the notebook around it: its own definition, the helpers, imports and constants that it
names, and what those name in turn, in notebook order, with what changes them on the way. Experiments, training loops
and trial calls bind no name that the answer needs, so they never run; a cell that fails takes nothing with it but its
own names. Where a change cannot be seen without running (`configure(TABLE)`), the slice leaves it out; the *wide* slice
takes in whatever reads or was handed what the answer needs, and the one of all that stands *above* the answer leaves
nothing out.
"""

from __future__ import annotations
import __future__

import ast
import builtins
import dis
import warnings
from bisect import bisect_left
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from types import CodeType
from typing import Literal

from efficientlab.grading.reading.changes import (
    OBJECT,
    STAR,
    Changes,
    changes_of,
    effects,
    folders_of,
    names_file,
)

MAX_FINALLY = 4  # how deep they may stand in one another: the compiler doubles each
_READS = {"LOAD_NAME", "LOAD_GLOBAL", "LOAD_FROM_DICT_OR_GLOBALS"}
_ARITHMETIC = (ast.Constant, ast.UnaryOp, ast.BinOp, ast.Tuple, ast.expr_context, ast.operator, ast.unaryop)
_READERS = frozenset(
    {"open", "load", "loadtxt", "fromfile", "read_text", "read_bytes", "read_csv", "environ", "getenv"}
)
_OPAQUE = frozenset({
    "globals", "locals", "vars", "eval", "exec", "getattr", "run_cell", "push", "get_objects", "_getframe",
    "currentframe",
})  # fmt: skip
"""Functions by which any object may be reached."""
_AT_WORK = ("torch", "os", "sys")
"""Packages whose state counts for an answer that does not name them: the default type, the folder, the recursion."""
_KNOWN = frozenset(dir(builtins)) | {"get_ipython", "display", "__file__"}
Reach = Literal["needs", "wide", "above"]
"""How much is run for an answer: what it needs, what may change that as well, all that stands above it."""
_FRESH = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Import | ast.ImportFrom


@dataclass(frozen=True)
class Statement:
    """One top-level statement. It is compiled when it is needed, which most are not."""

    cell: int  # the position of its cell in the sequence of cells
    node: ast.stmt
    filename: str
    flags: int = 0  # of the `from __future__` imports above it
    place: int = 0  # in its cell

    @cached_property
    def code(self) -> CodeType:
        """The statement as IPython compiles it: `await` may stand at the top level."""
        module = ast.Module([self.node], type_ignores=[])
        flags = self.flags | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        with warnings.catch_warnings(action="ignore"):
            return compile(module, self.filename, "exec", flags, dont_inherit=True)

    @cached_property
    def changes(self) -> Changes:
        """What running it changes."""
        return changes_of(self.node)

    @cached_property
    def binds(self) -> set[str]:
        """The names that it binds, or whose value it changes."""
        return {bound.removesuffix(OBJECT) for bound in self.changes.binds}

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
    def keeps_state(self) -> bool:
        """Whether what it makes may change under another name: values, classes, functions that hold something.

        Numbers and texts cannot, and plain functions hold nothing; one that reads a file depends on what is in there.
        """
        node = self.node
        if isinstance(node, ast.Import | ast.ImportFrom):
            return False
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            defaults = [*node.args.defaults, *filter(None, node.args.kw_defaults)]
            plain = all(_is_arithmetic(value) or isinstance(value, ast.Attribute) for value in defaults)
            return bool(node.decorator_list) or not plain or not _READERS.isdisjoint(self._names)
        return not (isinstance(node, ast.Assign | ast.AnnAssign) and _is_arithmetic(node.value))

    @property
    def acts(self) -> bool:
        """Whether running it may change anything but the names that it makes: no function, no number, no `print`."""
        node = self.node
        if isinstance(node, ast.Expr):
            function = node.value.func if isinstance(node.value, ast.Call) else node.value
            shows = isinstance(function, ast.Name) and function.id in ("print", "display")
            checks = isinstance(function, ast.Attribute) and getattr(function.value, "id", "") == "lab"
            return not (shows or checks or isinstance(node.value, ast.Constant | ast.Name))
        if isinstance(node, ast.Assign):
            named = all(isinstance(target, ast.Name) for target in node.targets)
            return not (named and _is_arithmetic(node.value))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            return bool(node.decorator_list)
        return not isinstance(node, ast.Import | ast.ImportFrom | ast.Pass)

    @property
    def _names(self) -> set[str]:
        """All names in its code, attributes among them."""
        try:
            return {name for part in _parts(self.code) for name in part.co_names}
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return set()

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
    for place, node in enumerate(parse_cell(source)):
        statements.append(Statement(cell, node, filename, flags, place))
        if isinstance(node, ast.ImportFrom) and node.module == "__future__":
            for name in node.names:
                flags |= getattr(getattr(__future__, name.name, None), "compiler_flag", 0)
    return statements


@lru_cache(256)
def kept_statements(cell: int, source: str, filename: str) -> list[Statement]:
    """The same for a cell that was handed out, which every notebook of a class holds."""
    return parse_statements(cell, source, filename)


def parse_cell(source: str) -> list[ast.stmt]:
    """The top-level statements of a cell as Python's parser sees them; `SyntaxError` in every case of failure."""
    try:
        with warnings.catch_warnings(action="ignore"):  # `"\d"` is for its author to be warned of
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


def needed_by(name: str, statements: Sequence[Statement], last_cell: int) -> list[Statement]:
    """The statements that `name` depends on, in order; see `Slicer.needed_by`."""
    return Slicer(statements).needed_by(name, last_cell)


class Slicer:
    """A notebook's statements with who binds and who touches each name, for one slice after another.

    `own` are the cells that a student wrote, where that is known: others set no state that an answer waits for.
    """

    def __init__(self, statements: Sequence[Statement], own: Collection[int] | None = None) -> None:
        self.statements = statements
        self.binders: dict[str, list[int]] = {}
        self.touchers: dict[str, list[int]] = {}
        self._packages: dict[str, str] = {}
        self._modules: set[str] = set()
        self._made: set[str] = set()  # here, and no modules
        for changed in (statement.changes for statement in statements):
            self._packages |= changed.imports
            self._modules |= changed.modules
            self._made |= (changed.binds - changed.modules).union(*changed.later.values())
        called = effects([statement.changes for statement in statements])
        of_names: list[tuple[str, int]] = []  # `torch.`, `torch!`, and where
        for i, statement in enumerate(statements):
            changed = statement.changes
            of_calls = (called.get(function, ()) for function in changed.calls)
            binds = {self._plain(one) for one in changed.binds.union(*of_calls)} - {""}
            for bound in binds:
                if bound.endswith((".", "!")):
                    of_names.append((bound, i))
                else:
                    self.binders.setdefault(bound, []).append(i)
            for touched in changed.touches - binds:
                self.touchers.setdefault(touched, []).append(i)
        for bound, i in of_names:
            package = self.package(bound[:-1])
            if package and (bound.endswith(".") or own is None or self._is_of(own, i)):
                found = self.binders if bound.endswith(".") else self.touchers
                found.setdefault(package + bound[-1], []).append(i)

    def _plain(self, bound: str) -> str:
        """The name of which the object is changed; nothing where that is a module, which stays as it is."""
        name = bound.removesuffix(OBJECT)
        is_made = name in self._made or (STAR in self._made and name not in self._modules)
        return name if is_made or name == bound else ""

    def package(self, name: str) -> str | None:
        """The package of which a name holds something: several names may hold the same. None for what was made here."""
        if name in self._packages:
            return self._packages[name]
        return None if name in self.binders or name in _KNOWN else "the prelude"

    def needed_by(self, name: str, last_cell: int, reach: Reach = "needs") -> list[Statement]:
        """The statements that `name` depends on, in order.

        Names are resolved as in a run from top to bottom that stops after cell `last_cell`, where the answer stands;
        what is not bound by then is looked for in the later cells.
        """
        chosen = _Slice(self, last_cell, wide=reach == "wide").of(name)
        if reach == "above":
            above = sum(statement.cell <= last_cell for statement in self.statements)
            chosen = [*range(above), *(i for i in chosen if i >= above)]
        return [self.statements[i] for i in chosen]

    def beside(self, name: str, last_cell: int, own: Collection[int]) -> set[int]:
        """The cells that run for `name` where what stands above in the cells `own` may change what it needs unseen.

        They are what it needs, these, and what they need; none where nothing can be changed in such a way.
        """
        made = _Slice(self, last_cell, wide=False)
        made.of(name)
        above = range(made.end)
        others = [
            i for i in above if i not in made.chosen and self._is_of(own, i) and self.statements[i].acts
        ]
        if not others or not self._may_change(made, [self.statements[i].changes for i in others]):
            return set()
        return {self.statements[i].cell for i in _Slice(self, last_cell, wide=False).of(name, others)}

    def _is_of(self, cells: Collection[int], i: int) -> bool:
        return self.statements[i].cell in cells

    def _may_change(self, made: _Slice, others: Sequence[Changes]) -> bool:
        """Whether other statements may change what a slice made, although they name nothing of it.

        They may where that holds something, where nobody knows where a name comes from, where they set an attribute of
        what may be anything, and where a package that it uses is handed over whole.
        """
        if any(self.statements[i].keeps_state for i in made.chosen):
            return True
        packages = {self.package(used) for used, _ in made.seen if used.isidentifier()}
        if "the prelude" in packages:
            return True
        if any(
            not _OPAQUE.isdisjoint(other.calls) or any(b.endswith(".") for b in other.binds)
            for other in others
        ):
            return True
        handed = set().union(*(other.hands for other in others))
        return not packages.isdisjoint({self._packages.get(one, one) for one in handed})


class _Slice:
    """The state of one walk backwards. Each place of a name is walked through once, however often it is read."""

    def __init__(self, slicer: Slicer, last_cell: int, wide: bool) -> None:
        self.statements = slicer.statements
        self.binders = slicer.binders
        self.package = slicer.package
        self.touchers = slicer.touchers if wide else {}
        self.end = sum(statement.cell <= last_cell for statement in self.statements)
        self.chosen: set[int] = set()
        self.waiting: set[tuple[str, int]] = set()  # names, and the position at which each is read
        self.seen: set[tuple[str, int]] = set()
        # of a place that was walked through: where its name was made
        self.made: dict[tuple[str, int], int] = {}
        self.touched: set[tuple[str, int]] = set()

    def of(self, name: str, also: Sequence[int] = ()) -> list[int]:
        """The positions of what `name` needs, and of what the statements `also` need, which are taken in."""
        self._want({(name, self.end), (STAR, self.end)})
        self._want({(f"{package}!", self.end) for package in _AT_WORK})
        for i in also:
            self._choose(i)
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
        if not first and at == self.end and not wanted.endswith((".", "!")):
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
        is_state = wanted.endswith("!")
        is_value = made_at >= 0 and not isinstance(self.statements[made_at].node, _FRESH)
        places = self.touchers.get(wanted, []) if is_file or is_value or is_state or wanted == STAR else []
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
        uses = set(self.statements[i].uses)
        packages = {package for used in uses if (package := self.package(used))}
        uses |= {package + mark for package in packages for mark in ".!"}
        self._want({(used, when) for used in uses for when in (i, self.end)})


def _reads(code: CodeType) -> Iterator[str]:
    for part in _parts(code):
        for instruction in dis.get_instructions(part):
            if instruction.opname in _READS:
                yield instruction.argval
        for constant in part.co_consts:
            if isinstance(constant, str) and names_file(constant):
                yield from map(repr, (constant, *folders_of(constant)))


def _parts(code: CodeType) -> Iterator[CodeType]:
    waiting = [code]
    while waiting:
        part = waiting.pop()
        yield part
        waiting += [constant for constant in part.co_consts if isinstance(constant, CodeType)]


def _is_arithmetic(value: ast.expr | None) -> bool:
    """Whether an expression holds nothing but numbers and texts, which never change."""
    return value is None or all(isinstance(part, _ARITHMETIC) for part in ast.walk(value))


def bound_names(node: ast.stmt) -> Iterator[str]:
    """The names that the statement binds at the top level of a notebook, or whose value it changes."""
    yield from (bound.removesuffix(OBJECT) for bound in changes_of(node).binds)
