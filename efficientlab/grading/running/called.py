"""Which functions of this package an answer calls, seen where it runs, however it came by them.

The labs teach what some rooms of this package hold ready. What counts is what was called, not what was imported:
`__import__`, a module of the prelude and a registered op all show here. Methods do not count, as a driver may give an
answer objects of ours to work with; making such an object does.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, TypeVar

import efficientlab

_PACKAGE = str(Path(efficientlab.__file__).resolve().parent)
_DRIVERS, _GRADER = f"{_PACKAGE}/exercises/", f"{_PACKAGE}/grading/"
_LIBRARIES = ("site-packages", "dist-packages", "<frozen", "/lib/python3")
_BORROWED = "<borrowed "  # what `lab.borrow` hands out
_LENT = "efficientlab.lent"  # the module as whose function a borrowed answer is reported
MAX_NAMES = 50
Result = TypeVar("Result")


def calls_of(run: Callable[[], Result]) -> tuple[Result, list[str]]:
    """What `run` returns, and the full names of the functions of this package that an answer called, or is.

    What drivers call is among them: they call the answer, which may be such a function. They call the same for the
    lab's own answer.
    """
    seen: dict[int, CodeType] = {}  # by identity: a code's hash is made of all that it holds, at every call
    found: set[str] = set()

    def look(frame: FrameType, event: str, argument: Any) -> None:
        code = frame.f_code
        if event != "call" or id(code) in seen:
            return
        if not (name := _name(frame)):
            seen[id(code)] = code
        elif _is_outside(frame.f_back, name):
            seen[id(code)] = code
            found.add(name)

    before = sys.getprofile()
    sys.setprofile(look)
    threading.setprofile(look)  # and in the threads that it starts
    try:
        result = run()
    finally:
        sys.setprofile(before)
        threading.setprofile(None)
    return result, sorted(found)[:MAX_NAMES]


def _name(frame: FrameType) -> str:
    """The full name of what is called: a function of this package, or a class that makes an object; "" for all else."""
    code, module = frame.f_code, str(frame.f_globals.get("__name__", ""))
    owner, _, name = code.co_qualname.rpartition(".")
    if code.co_filename.startswith(_BORROWED):
        return f"{_LENT}.{(owner or name).partition('.')[0]}" if not owner or name == "__init__" else ""
    of_text = code.co_filename == "<string>" and name == "__init__" and module.startswith("efficientlab.")
    if not of_text and (not code.co_filename.startswith(_PACKAGE) or code.co_filename.startswith(_GRADER)):
        return ""
    if not owner:
        return f"{module}.{name}" if name.isidentifier() else ""
    first = frame.f_locals[code.co_varnames[0]] if code.co_argcount else None
    if of_text:
        return f"{module}.{type(first).__name__}"  # a dataclass makes its own
    if name == "__init__" and owner.isidentifier():
        return f"{module}.{owner}"
    if not owner.isidentifier() or any(owner == kind.__name__ for kind in type(first).__mro__):
        return ""  # inside of a function, or a method of an object that is there
    return f"{module}.{owner}.{name}"


def _is_outside(frame: FrameType | None, name: str) -> bool:
    """Whether a student's code calls it, past libraries, or a thread has nothing else to do.

    So do drivers, in whose name an answer is called that is such a function; but what is of the exercises is theirs,
    and what is in the text of a borrowed answer is that text's.
    """
    while frame and any(part in frame.f_code.co_filename for part in _LIBRARIES):
        frame = frame.f_back
    if frame is None or not (file := frame.f_code.co_filename).startswith(_PACKAGE):
        return not (name.startswith(_LENT) and frame and frame.f_code.co_filename.startswith(_BORROWED))
    return file.startswith(_DRIVERS) and not name.startswith("efficientlab.exercises.")


def beyond(called: Iterable[str], usual: Iterable[str], exercise_id: str) -> list[str]:
    """A sentence that names what an answer called and the lab's own does not; empty where there is nothing."""
    if not (more := sorted(set(called) - set(usual))):
        return []
    shown = ", ".join(more)[:300]
    return [
        f"the answer to {exercise_id} calls {shown}, which the lab's own does not: a person will look at it."
    ]


def beyond_in_fresh(
    called: Iterable[str], before: Iterable[str], usual: Iterable[str], exercise_id: str
) -> list[str]:
    """The same for a fresh case, where an answer calls what it did not call `before`. No name is in the sentence.

    Whoever forges names could write there what nobody may know of that case.
    """
    if set(called) <= set(before) | set(usual):
        return []
    return [
        f"the answer to {exercise_id} calls functions of efficientlab on a fresh case that neither the lab's own calls "
        "nor the answer itself on a recorded one: a person will look at it."
    ]
