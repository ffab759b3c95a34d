"""The memory of a process and of all that descend from it, read from /proc: for where no control group counts it."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

_HELD = re.compile(rb"^Rss(?:Anon|Shmem):\s+(\d+) kB", re.M)


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
    """Bytes that the descendants of `ancestor` hold beside files: what they share in memory counts for each."""
    total = 0
    for process in descendants(ancestor):
        with contextlib.suppress(OSError):
            status = Path(f"/proc/{process}/status").read_bytes()
            total += 1024 * sum(map(int, _HELD.findall(status)))
    return total
