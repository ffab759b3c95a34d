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
_OWN = (f"{_PACKAGE}/exercises/", f"{_PACKAGE}/grading/")  # drivers and what calls them
_LIBRARIES = ("site-packages", "dist-packages", "<frozen", "/lib/python3")
MAX_NAMES = 50
Result = TypeVar("Result")


def calls_of(run: Callable[[], Result]) -> tuple[Result, list[str]]:
    """What `run` returns, and the full names of the functions of this package that code from outside of it called."""
    seen: dict[int, CodeType] = {}  # by identity: a code's hash is made of all that it holds, at every call
    found: set[str] = set()

    def look(frame: FrameType, event: str, argument: Any) -> None:
        code = frame.f_code
        if event != "call" or id(code) in seen:
            return
        ours = code.co_filename.startswith(_PACKAGE) and not code.co_filename.startswith(_OWN)
        if not ours or not _counts(code.co_qualname):
            seen[id(code)] = code
        elif _is_outside(frame.f_back):
            seen[id(code)] = code
            found.add(f"{frame.f_globals.get('__name__', '')}.{code.co_qualname.removesuffix('.__init__')}")

    before = sys.getprofile()
    sys.setprofile(look)
    threading.setprofile(look)  # and in the threads that it starts
    try:
        result = run()
    finally:
        sys.setprofile(before)
        threading.setprofile(None)
    return result, sorted(found)[:MAX_NAMES]


def _counts(name: str) -> bool:
    return name.isidentifier() or (name.endswith(".__init__") and name.count(".") == 1)


def _is_outside(frame: FrameType | None) -> bool:
    """Whether the innermost frame that is of no library is not of this package either: it is a student's."""
    while frame and any(part in frame.f_code.co_filename for part in _LIBRARIES):
        frame = frame.f_back
    return frame is not None and not frame.f_code.co_filename.startswith(_PACKAGE)


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
