"""The memory of a process and of all that descend from it, read from /proc: for where no control group counts it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

_PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


def descendants(ancestor: int) -> Iterator[int]:
    """The processes that `ancestor` started, and those that they started, as far as they still live."""
    waiting = [ancestor]
    while waiting:
        parent = waiting.pop()
        with contextlib.suppress(OSError):
            for task in Path(f"/proc/{parent}/task").iterdir():  # each thread has children of its own
                children = [int(child) for child in (task / "children").read_text(encoding="utf-8").split()]
                waiting += children
                yield from children


def private_bytes(ancestor: int) -> int:
    """Bytes that the descendants of `ancestor` hold and do not share."""
    total = 0
    for process in descendants(ancestor):
        with contextlib.suppress(OSError):
            _, resident, shared, *_ = map(
                int, Path(f"/proc/{process}/statm").read_text(encoding="utf-8").split()
            )
            total += (resident - shared) * _PAGE
    return total
