"""How much a box holds on disk, for where its scratch folder is no file system of its own."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from efficientlab.grading.sandbox.memory import descendants

MAX_ENTRIES = 10_000
FULL = 1 << 62


def held_bytes(folder: Path, ancestor: int) -> int:
    """Bytes of the files below `folder`, and of those without a name that descendants of `ancestor` keep open.

    A folder with too many entries counts as one that is full, and so does one that cannot be looked into: closed, or so
    deep that no path leads there. Nothing is changed to look: who is looked at could put a link in its place meanwhile.
    """
    sizes: dict[tuple[int, int], int] = {}
    waiting = [folder]
    while waiting:
        current = waiting.pop()
        try:
            for entry in os.scandir(current):
                status = entry.stat(follow_symlinks=False)
                sizes[status.st_dev, status.st_ino] = status.st_blocks * 512
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(Path(entry.path))
                if len(sizes) > MAX_ENTRIES:
                    return FULL
        except (FileNotFoundError, NotADirectoryError):
            continue  # it was removed, or renamed, since its name was read
        except OSError:
            return FULL
    for process in descendants(ancestor):
        with contextlib.suppress(OSError):
            for descriptor in Path(f"/proc/{process}/fd").iterdir():
                with contextlib.suppress(OSError):
                    status = descriptor.stat()
                    if status.st_nlink == 0:
                        sizes[status.st_dev, status.st_ino] = status.st_blocks * 512
    return sum(sizes.values())
