"""What a statement changes beside the names that it assigns: objects through methods, globals through functions.

Python cannot be asked without running it, so this has two degrees. What a statement *binds* it certainly assigns, or
changes by a call whose name says so (`x.fill_(1)`, `NAMES.sort()`). What it *touches* it may change: whatever it reads
or hands to any function, and files, which stand here under their quoted names. Beside plain names, which are bound
anew, there are `NAMES@`, for the object that a name holds, `torch.`, for what hangs on that name (`torch.pi = 3`), and
`torch!`, for a state that a call sets (`torch.manual_seed(0)`). Of a module no object is changed: `nn.init.zeros_(w)`
changes `w`. Which names hold modules the `Slicer` knows, who sees all statements.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

STAR = "*"  # the name that `from module import *` binds: it may be any
OBJECT = "@"  # behind the name of an object that is changed
_MARKS = f"{OBJECT}.!"
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
_SETS_STATE = ("set", "use_", "enable", "disable", "seed", "manual_seed", "chdir")
_SUBMODULES = frozenset({
    "counters", "fft", "functional", "init", "kernels", "linalg", "nn", "optim", "pyplot", "random", "special",
})  # fmt: skip
"""What is a module too where it comes out of a package: `from torch import nn`, `nn = torch.nn`."""
_NAMESPACES = frozenset({"globals", "locals", "vars"})
_SCOPES = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
_COMPREHENSIONS = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
MAX_NAME = 200  # characters of a file's name
MAX_EXEC = 20_000  # characters of a text that `exec` runs and that is looked into


@dataclass
class Changes:
    """What running a statement changes, and which functions it calls that may change more.

    `later` is what its functions' bodies change when they are called, by the function's name; `then` whom those call.
    `imports` are the packages behind the names that it imports, `modules` the names that it makes of modules, and
    `hands` what it hands over whole: names, and texts.
    """

    binds: set[str] = field(default_factory=set)
    touches: set[str] = field(default_factory=set)
    calls: set[str] = field(default_factory=set)
    later: dict[str, set[str]] = field(default_factory=dict)
    then: dict[str, set[str]] = field(default_factory=dict)
    imports: dict[str, str] = field(default_factory=dict)
    modules: set[str] = field(default_factory=set)
    hands: set[str] = field(default_factory=set)


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
                _note_body(part, found)
            continue  # what is bound inside is its own affair
        if isinstance(part, ast.Lambda):
            continue
        if isinstance(part, ast.Call):
            waiting += [(given.body, True) for given in _given(part) if isinstance(given, ast.Lambda)]
        _note(part, inside, found)
        inside = inside or isinstance(part, _COMPREHENSIONS)
        waiting.extend((child, inside) for child in ast.iter_child_nodes(part))
    return found


def _note(part: ast.AST, inside: bool, found: Changes) -> None:
    if isinstance(part, ast.NamedExpr):
        found.binds.add(part.target.id)
    elif isinstance(part, ast.Import | ast.ImportFrom):
        for alias in part.names:
            name = alias.asname or alias.name.split(".")[0]
            found.binds.add(name)
            found.imports[name] = (getattr(part, "module", None) or alias.name).split(".")[0]
            if isinstance(part, ast.Import) or alias.name in _SUBMODULES:
                found.modules.add(name)
    elif isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load):
        found.touches.add(part.id)
    elif isinstance(part, ast.Name):
        if not inside:  # a comprehension's own variable
            found.binds.add(part.id)
    elif isinstance(part, ast.Attribute | ast.Subscript) and not isinstance(part.ctx, ast.Load):
        found.binds |= _stored(part)
    elif isinstance(part, ast.Subscript) and getattr(part.value, "attr", "") == "modules":
        found.hands.update(_dotted(part.slice, "."))
    elif isinstance(part, ast.Assign | ast.For):
        _note_alias(part, found)
    elif isinstance(part, ast.Call):
        _note_call(part, found)
    elif isinstance(part, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and part.name:
        found.binds.add(part.name)
    elif isinstance(part, ast.MatchMapping) and part.rest:
        found.binds.add(part.rest)


def _note_call(call: ast.Call, found: Changes) -> None:
    function = call.func
    name = _called(call)
    in_place = name.endswith("_") and not name.endswith("__")
    given = list(_given(call))
    called = [name, *_root(function)] if isinstance(function, ast.Subscript) else [name]
    found.calls.update(filter(None, called), *(_functions(one) for one in given))
    found.hands.update(one.id for one in given if isinstance(one, ast.Name))
    end = "." if name in ("import_module", "__import__") else ""
    found.hands.update(package for one in given for package in _dotted(one, end))
    if isinstance(function, ast.Attribute):
        root = set(_root(function))
        if in_place or name in METHODS:
            found.binds.update(_objects(root))
        else:
            found.touches |= root
        if name in METHODS and not isinstance(function.value, ast.Name):
            found.binds |= {f"{one}." for one in root}  # os.environ.update(…)
        if name.startswith(_SETS_STATE):
            found.binds |= {f"{one}!" for one in root}
        if name in ("update", "setdefault") and _is_namespace(function.value):
            found.binds |= set(_updated(call))
    if name in ("setattr", "delattr") and given:
        found.binds |= {f"{one}." for one in _handed(given[0])}
    if name == "exec":
        found.binds |= set(_executed(call))
    if name in ("run_cell", "run_line_magic", "run_cell_magic"):
        found.touches.add(STAR)
    if name in ("makedirs", "mkdir", "Path"):
        texts = (argument.value for argument in call.args if isinstance(argument, ast.Constant))
        found.touches.update(repr(text) for text in texts if isinstance(text, str) and len(text) <= MAX_NAME)
    for position, argument in enumerate(given):
        if in_place or (name in FUNCTIONS and position == 0):
            found.binds.update(_objects(_handed(argument)))
        else:
            found.touches.update(_handed(argument))


def _given(call: ast.Call) -> Iterator[ast.expr]:
    yield from call.args
    yield from (keyword.value for keyword in call.keywords)


def _functions(argument: ast.expr) -> Iterator[str]:
    """The function that an argument may be, and that may be called: `fill` and `TABLE.fill`, also in a list."""
    for part in argument.elts if isinstance(argument, ast.List | ast.Tuple) else [argument]:
        if isinstance(part, ast.Name | ast.Attribute):
            yield part.id if isinstance(part, ast.Name) else part.attr


def _called(call: ast.Call) -> str:
    """The last name of the function that is called: `fill` of `a.b.fill(…)`."""
    return call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")


def _dotted(argument: ast.expr, end: str = "") -> Iterator[str]:
    """The package in a text such as `torch.nn.functional.relu`, which may name what is put into its place."""
    text = argument.value if isinstance(argument, ast.Constant) else None
    if isinstance(text, str) and len(text) <= MAX_NAME and "." in text + end:
        yield text.split(".")[0]


def _stored(target: ast.Attribute | ast.Subscript) -> set[str]:
    """What `Block.forward = …`, `TABLE[3] = …` and their `del` change."""
    root = set(_root(target))
    return {*_objects(root), *(f"{name}." for name in root), *_in_namespace(target)}


def _objects(names: Iterable[str]) -> Iterator[str]:
    """What a change of their objects binds; a file is named by its text."""
    yield from (f"{name}{OBJECT}" if name.isidentifier() else name for name in names)


def _note_alias(node: ast.Assign | ast.For, found: Changes) -> None:
    """Under which further names functions are called: `f = fill`, `f = partial(fill, 3)`, `for f in (fill, sort)`."""
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    value = node.value if isinstance(node, ast.Assign) else node.iter
    names = [target.id for target in targets if isinstance(target, ast.Name)]
    if isinstance(value, ast.Attribute) and value.attr in _SUBMODULES:
        found.modules.update(names)
    for name in names:
        if isinstance(value, ast.Lambda):
            _note_later(value, found, name)
        elif mentioned := {part.id for part in ast.walk(value) if isinstance(part, ast.Name)} - {name}:
            found.then.setdefault(name, set()).update(mentioned)


def _note_body(definition: ast.ClassDef, found: Changes) -> None:
    """What a class's body does where it stands; the names that it binds are the class's own."""
    own = {part.id for part in ast.walk(definition) if isinstance(part, ast.Name) and _is_stored(part)}
    own |= {part.name for part in definition.body if isinstance(part, ast.FunctionDef | ast.ClassDef)}
    for child in definition.body:
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) and not child.decorator_list:
            continue
        inner = changes_of(child)
        found.binds |= {name for name in inner.binds if name.rstrip(_MARKS) not in own}
        found.touches |= inner.touches - own
        found.calls |= inner.calls


def _is_stored(name: ast.Name) -> bool:
    return not isinstance(name.ctx, ast.Load)


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
        with warnings.catch_warnings(action="ignore"):
            inner = ast.parse(text.value).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    for node in inner:
        executed = changes_of(node) if "exec" not in text.value else Changes(binds={STAR})
        yield from executed.binds


def _note_later(definition: ast.AST, found: Changes, own: str = "") -> None:
    """What the functions inside of a definition change when they are called: `global` names, objects from outside."""
    own = own or getattr(definition, "name", "")
    waiting: list[tuple[ast.AST, str]] = [(definition, own)]
    local: set[str] = set()
    later: dict[str, set[str]] = {}
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
                if "seed" in _called(child):  # a training loop's own, of which the notebook knows nothing
                    inner.binds = {one for one in inner.binds if not one.endswith("!")}
                later.setdefault(owner, set()).update(inner.binds)
                found.then.setdefault(owner, set()).update(inner.calls)
            elif isinstance(child, ast.Attribute | ast.Subscript) and not isinstance(child.ctx, ast.Load):
                later.setdefault(owner, set()).update(_stored(child))
            waiting.append((child, name))
    for name in {**later, **declared}:
        outside = {one for one in later.get(name, ()) if one.rstrip(_MARKS) not in local}
        found.later.setdefault(name, set()).update(outside, declared.get(name, ()))
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
