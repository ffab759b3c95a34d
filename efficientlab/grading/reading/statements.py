"""Which statements of a notebook an answer depends on: a backward slice over its top-level statements.

An answer is run without the notebook around it: its own definition, the helpers, imports and constants that it
names, and what those name in turn, in notebook order. Experiments, training loops and trial calls bind no name that
the answer needs, so they never run; a cell that fails takes nothing with it but its own names.
"""

from __future__ import annotations
import __future__

import ast
import dis
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import CodeType

MUTATORS = {
    "add",
    "append",
    "extend",
    "insert",
    "register",
    "register_buffer",
    "register_forward_hook",
    "register_module",
    "setdefault",
    "update",
}
STAR = "*"  # the name that `from module import *` binds: it may be any
_READS = {"LOAD_NAME", "LOAD_GLOBAL", "LOAD_FROM_DICT_OR_GLOBALS"}


@dataclass(frozen=True)
class Statement:
    """One top-level statement. It is compiled when it is needed, which most are not."""

    cell: int  # the position of its cell in the sequence of cells
    node: ast.stmt
    binds: frozenset[str]  # the names that it binds, or whose value it changes
    filename: str
    flags: int = 0  # of the `from __future__` imports above it

    @cached_property
    def code(self) -> CodeType:
        """The statement as IPython compiles it: `await` may stand at the top level."""
        module = ast.Module([self.node], type_ignores=[])
        flags = self.flags | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        return compile(module, self.filename, "exec", flags, dont_inherit=True)

    @cached_property
    def uses(self) -> frozenset[str]:
        """The global names that it reads, in the bodies of its functions, too; locals are not among them."""
        return frozenset(_global_reads(self.code))

    @property
    def replaces(self) -> bool:
        """Whether what its names were before no longer matters, but to the statement itself."""
        fresh = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Import | ast.ImportFrom
        if isinstance(self.node, ast.Assign):
            return all(isinstance(target, ast.Name) for target in self.node.targets)
        return isinstance(self.node, fresh) and STAR not in self.binds


def parse_statements(cell: int, source: str, filename: str) -> list[Statement]:
    """The top-level statements of a cell's Python; `SyntaxError` where it does not parse."""
    statements = []
    flags = 0
    for node in parse_cell(source):
        statements.append(Statement(cell, node, frozenset(bound_names(node)), filename, flags))
        if isinstance(node, ast.ImportFrom) and node.module == "__future__":
            for name in node.names:
                flags |= getattr(getattr(__future__, name.name, None), "compiler_flag", 0)
    return statements


def parse_cell(source: str) -> list[ast.stmt]:
    """The top-level statements of a cell as Python's parser sees them; `SyntaxError` in every case of failure."""
    try:
        return ast.parse(source).body
    except (ValueError, RecursionError, MemoryError) as error:
        raise SyntaxError(f"this is no Python: {error}") from None


def needed_by(name: str, statements: Sequence[Statement], last_cell: int) -> list[Statement]:
    """The statements that `name` depends on, in order.

    Names are resolved as in a run from top to bottom that stops after cell `last_cell`, where the answer stands;
    what is not bound by then is looked for in the later cells.
    """
    binders: dict[str, list[int]] = {}
    for i, statement in enumerate(statements):
        for bound in statement.binds:
            binders.setdefault(bound, []).append(i)
    end = sum(statement.cell <= last_cell for statement in statements)
    chosen: set[int] = set()
    waiting = {(name, end), (STAR, end)}  # names, and the position at which each is read
    seen = set(waiting)
    while waiting:
        wanted, at = waiting.pop()
        places = binders.get(wanted, [])
        for i in reversed([i for i in places if i < at] or (places if at == end else [])):
            if i not in chosen:
                chosen.add(i)
                # read when the statement runs, or by its function's body when the answer is called
                new = {(used, when) for used in _uses(statements[i]) for when in (i, end)} - seen
                waiting |= new
                seen |= new
            if wanted != STAR and statements[i].replaces:
                break
    return [statements[i] for i in sorted(chosen)]


def _uses(statement: Statement) -> frozenset[str]:
    try:
        return statement.uses
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return frozenset()  # it will not run either


def _global_reads(code: CodeType) -> Iterator[str]:
    for instruction in dis.get_instructions(code):
        if instruction.opname in _READS:
            yield instruction.argval
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _global_reads(constant)


def bound_names(node: ast.stmt) -> Iterator[str]:
    """The names that the statement binds at the top level of a notebook, or whose value it changes."""
    waiting: list[ast.AST] = [node]
    while waiting:
        part = waiting.pop()
        if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield part.name
            continue  # what is bound inside is its own affair
        if isinstance(part, ast.Lambda | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
            waiting += [walrus for walrus in ast.walk(part) if isinstance(walrus, ast.NamedExpr)]
            continue
        if isinstance(part, ast.NamedExpr):
            yield part.target.id
        elif isinstance(part, ast.alias):
            yield part.asname or part.name.split(".")[0]
        elif isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
            yield part.id
        elif isinstance(part, ast.Attribute | ast.Subscript) and isinstance(part.ctx, ast.Store):
            yield from _root(part)  # Block.forward = …, TABLE[3] = …
        elif isinstance(part, ast.Call):
            yield from _changed_by_call(part)
        elif isinstance(part, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and part.name:
            yield part.name
        waiting.extend(ast.iter_child_nodes(part))


def _changed_by_call(call: ast.Call) -> Iterator[str]:
    """`NAMES.append(…)` and `setattr(Block, …)` change what they name."""
    if isinstance(call.func, ast.Attribute) and call.func.attr in MUTATORS:
        yield from _root(call.func)
    elif isinstance(call.func, ast.Name) and call.func.id == "setattr" and call.args:
        yield from _root(call.args[0])


def _root(node: ast.AST) -> Iterator[str]:
    """The variable at the bottom of `a.b[c].d`."""
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    if isinstance(node, ast.Name):
        yield node.id
