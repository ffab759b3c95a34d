"""How much a box holds on disk, for where its scratch folder is no file system of its own."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from efficientlab.grading.sandbox.memory import descendants

MAX_ENTRIES = 10_000


def held_bytes(folder: Path, ancestor: int) -> int:
    """Bytes of the files below `folder`, and of those without a name that descendants of `ancestor` keep open.

    A folder with too many entries counts as one that is full.
    """
    sizes: dict[tuple[int, int], int] = {}
    waiting = [folder]
    while waiting:
        current = waiting.pop()
        with contextlib.suppress(OSError):
            if not os.access(current, os.R_OK | os.X_OK):
                current.chmod(0o700)  # it is the box's own, made so that nobody can look into it
            for entry in os.scandir(current):
                status = entry.stat(follow_symlinks=False)
                sizes[status.st_dev, status.st_ino] = status.st_blocks * 512
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(Path(entry.path))
                if len(sizes) > MAX_ENTRIES:
                    return 1 << 62
    for process in descendants(ancestor):
        with contextlib.suppress(OSError):
            for descriptor in Path(f"/proc/{process}/fd").iterdir():
                with contextlib.suppress(OSError):
                    status = descriptor.stat()
                    if status.st_nlink == 0:
                        sizes[status.st_dev, status.st_ino] = status.st_blocks * 512
    return sum(sizes.values())
