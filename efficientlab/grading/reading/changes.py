"""What a statement changes beside the names that it assigns: objects through methods, globals through functions.

Python cannot be asked without running it, so this has two degrees. What a statement *binds* it certainly assigns, or
changes by a call whose name says so (`x.fill_(1)`, `NAMES.sort()`). What it *touches* it may change: whatever it hands
to any other function, and files, which stand here under their quoted names.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

STAR = "*"  # the name that `from module import *` binds: it may be any
# the methods that change the object they belong to, in Python's collections and files, numpy and torch
METHODS = frozenset({
    "add", "add_module", "append", "appendleft", "clear", "difference_update", "discard", "extend",
    "extendleft", "fill", "insert", "intersection_update", "load_state_dict", "move_to_end",
    "pop", "popitem", "popleft", "put", "put_nowait",
    "register", "register_buffer", "register_forward_hook", "register_forward_pre_hook",
    "register_full_backward_hook", "register_hook", "register_module", "register_parameter", "remove",
    "resize", "reverse", "rotate", "send", "set", "setdefault", "setflags", "sort", "subtract",
    "symmetric_difference_update", "update", "write", "write_bytes", "write_text", "writelines",
})  # fmt: skip
# the functions that change their first argument
FUNCTIONS = frozenset({
    "copyto", "delattr", "delitem", "fill_diagonal", "heapify", "heappop", "heappush", "heapreplace",
    "insort", "insort_left", "insort_right", "next", "place", "put", "put_along_axis", "putmask", "setattr",
    "setitem", "shuffle",
})  # fmt: skip
_NAMESPACES = frozenset({"globals", "locals", "vars"})
_SCOPES = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
_COMPREHENSIONS = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
MAX_NAME = 200  # characters of a file's name
MAX_EXEC = 20_000  # characters of a text that `exec` runs and that is looked into


@dataclass
class Changes:
    """What running a statement changes, and which functions it calls that may change more.

    `later` is what its functions' bodies change when they are called, by the function's name; `then` whom those call.
    """

    binds: set[str] = field(default_factory=set)
    touches: set[str] = field(default_factory=set)
    calls: set[str] = field(default_factory=set)
    later: dict[str, set[str]] = field(default_factory=dict)
    then: dict[str, set[str]] = field(default_factory=dict)


def changes_of(node: ast.stmt) -> Changes:
    """Read one top-level statement; nothing is run, and the time grows with its length only."""
    found = Changes()
    waiting: list[tuple[ast.AST, bool]] = [(node, False)]  # and whether it is inside of a comprehension
    while waiting:
        part, inside = waiting.pop()
        if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.binds.add(part.name)
            _note_later(part, found)
            waiting += [(ast.Call(decorator, [], []), inside) for decorator in part.decorator_list]
            if isinstance(part, ast.ClassDef):
                waiting += [(base, inside) for base in part.bases if isinstance(base, ast.Call)]
                found.calls.add("__init_subclass__")
            continue  # what is bound inside is its own affair
        if isinstance(part, ast.Lambda):
            continue
        _note(part, inside, found)
        inside = inside or isinstance(part, _COMPREHENSIONS)
        waiting.extend((child, inside) for child in ast.iter_child_nodes(part))
    return found


def _note(part: ast.AST, inside: bool, found: Changes) -> None:
    if isinstance(part, ast.NamedExpr):
        found.binds.add(part.target.id)
    elif isinstance(part, ast.alias):
        found.binds.add(part.asname or part.name.split(".")[0])
    elif isinstance(part, ast.Name) and not isinstance(part.ctx, ast.Load):
        if not inside:  # a comprehension's own variable
            found.binds.add(part.id)
    elif isinstance(part, ast.Attribute | ast.Subscript) and not isinstance(part.ctx, ast.Load):
        found.binds |= set(_root(part)) | set(_in_namespace(part))  # Block.forward = …, TABLE[3] = …
    elif isinstance(part, ast.Call):
        _note_call(part, found)
    elif isinstance(part, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and part.name:
        found.binds.add(part.name)
    elif isinstance(part, ast.MatchMapping) and part.rest:
        found.binds.add(part.rest)


def _note_call(call: ast.Call, found: Changes) -> None:
    function = call.func
    name = function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")
    in_place = name.endswith("_") and not name.endswith("__")
    if name:
        found.calls.add(name)
    if isinstance(function, ast.Attribute):
        changed = in_place or name in METHODS
        (found.binds if changed else found.touches).update(_root(function))
        if name in ("update", "setdefault") and _is_namespace(function.value):
            found.binds |= set(_updated(call))
    if name == "exec":
        found.binds |= set(_executed(call))
    if name in ("run_cell", "run_line_magic", "run_cell_magic"):
        found.touches.add(STAR)
    if name in ("makedirs", "mkdir", "Path"):
        texts = (argument.value for argument in call.args if isinstance(argument, ast.Constant))
        found.touches.update(repr(text) for text in texts if isinstance(text, str) and len(text) <= MAX_NAME)
    for position, argument in enumerate((*call.args, *(keyword.value for keyword in call.keywords))):
        certain = in_place or (name in FUNCTIONS and position == 0)
        (found.binds if certain else found.touches).update(_handed(argument))


def _handed(argument: ast.AST) -> Iterator[str]:
    """The variables whose objects an argument hands over, and the files that it names."""
    waiting = [argument]
    while waiting:
        part = waiting.pop()
        if isinstance(part, ast.Constant):
            if isinstance(part.value, str) and names_file(part.value):
                yield repr(part.value)
        elif isinstance(part, ast.List | ast.Tuple | ast.Set | ast.Dict | ast.BinOp | ast.JoinedStr):
            waiting += ast.iter_child_nodes(part)
        else:
            yield from _root(part)


def names_file(text: str) -> bool:
    """Whether a text may be a file's name: short, of one line, with a dot or a slash in it."""
    return len(text) <= MAX_NAME and "\n" not in text and ("." in text or "/" in text)


def folders_of(text: str) -> Iterator[str]:
    """The folders that a file's name says it lies in."""
    yield from (str(folder) for folder in PurePosixPath(text).parents if folder.name)


def _is_namespace(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in _NAMESPACES
        and not node.args
    )


def _in_namespace(node: ast.Attribute | ast.Subscript) -> Iterator[str]:
    """The name that `globals()[name] = …` binds; any, where it is not written out."""
    if isinstance(node, ast.Subscript) and _is_namespace(node.value):
        key = node.slice
        yield str(key.value) if isinstance(key, ast.Constant) else STAR
    elif isinstance(node, ast.Attribute) and _is_namespace(node.value):
        yield STAR


def _updated(call: ast.Call) -> Iterator[str]:
    """The names that `globals().update(…)` binds; any, where they are not written out."""
    yield from (keyword.arg or STAR for keyword in call.keywords)
    for argument in call.args:
        if isinstance(argument, ast.Dict):
            keys = [key.value if isinstance(key, ast.Constant) else STAR for key in argument.keys]
            yield from map(str, keys)
        else:
            yield str(argument.value) if isinstance(argument, ast.Constant) else STAR


def _executed(call: ast.Call) -> Iterator[str]:
    """The names that `exec('…')` binds; any, where its text is not written out."""
    text = call.args[0] if call.args else None
    if not (isinstance(text, ast.Constant) and isinstance(text.value, str) and len(text.value) <= MAX_EXEC):
        yield STAR
        return
    try:
        inner = ast.parse(text.value).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    for node in inner:
        executed = changes_of(node) if "exec" not in text.value else Changes(binds={STAR})
        yield from executed.binds


def _note_later(definition: ast.AST, found: Changes) -> None:
    """What the functions inside of a definition change when they are called: `global` names, objects from outside."""
    waiting: list[tuple[ast.AST, str]] = [(definition, getattr(definition, "name", ""))]
    local: set[str] = set()
    declared: dict[str, set[str]] = {}
    while waiting:
        part, owner = waiting.pop()
        for child in ast.iter_child_nodes(part):
            name = owner
            if isinstance(child, _SCOPES | ast.ClassDef):
                name = getattr(child, "name", owner)
                if isinstance(part, _SCOPES):  # it may be returned, and be called then, as a decorator's is
                    found.then.setdefault(owner, set()).add(name)
            elif isinstance(child, ast.Global):
                declared.setdefault(owner, set()).update(child.names)
            elif isinstance(child, ast.arg):
                local.add(child.arg)
            elif isinstance(child, ast.Name) and not isinstance(child.ctx, ast.Load):
                local.add(child.id)
            elif isinstance(child, ast.Call):
                inner = Changes()
                _note_call(child, inner)
                found.later.setdefault(owner, set()).update(inner.binds)
                found.then.setdefault(owner, set()).update(inner.calls)
            elif isinstance(child, ast.Attribute | ast.Subscript) and not isinstance(child.ctx, ast.Load):
                found.later.setdefault(owner, set()).update(_root(child), _in_namespace(child))
            waiting.append((child, name))
    for name in {**found.later, **declared}:
        found.later[name] = found.later.get(name, set()) - local | declared.get(name, set())
    own = getattr(definition, "name", "")
    if isinstance(definition, ast.ClassDef):  # making an object calls these
        for special in ("__init__", "__post_init__", "__new__"):
            if special in found.later or special in found.then:
                found.then.setdefault(own, set()).add(special)


def effects(statements: Sequence[Changes]) -> Mapping[str, frozenset[str]]:
    """What calling each function of a notebook changes, itself and through those that it calls, by its name."""
    later: dict[str, set[str]] = {}
    callers: dict[str, set[str]] = {}
    for one in statements:
        for name, changed in one.later.items():
            later.setdefault(name, set()).update(changed)
        for name, called in one.then.items():
            for other in called:
                callers.setdefault(other, set()).add(name)
    waiting = list(later)
    while waiting:  # what the called one changes, its callers change
        name = waiting.pop()
        for caller in callers.get(name, ()):
            known = later.setdefault(caller, set())
            if not later[name] <= known:
                known |= later[name]
                waiting.append(caller)
    return {name: frozenset(changed) for name, changed in later.items() if changed}


def _root(node: ast.AST) -> Iterator[str]:
    """The variable at the bottom of `a.b[c].d`, and of a chain of its methods."""
    while True:
        if isinstance(node, ast.Attribute | ast.Subscript | ast.Starred):
            node = node.value
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            node = node.func.value
        else:
            break
    if isinstance(node, ast.Name):
        yield node.id
