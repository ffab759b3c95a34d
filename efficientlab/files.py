"""Files that are whole or absent: written beside their place, and moved there in one step."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A new file beside `path` to write to, readable by all. It takes `path`'s place when the block ends.

    If the block fails, `path` stays as it was and the new file is removed. Folders that are missing are made.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    os.close(handle)
    part = Path(name)
    try:
        yield part
        with part.open("r+b") as written:  # Windows flushes only what may be written to
            os.fsync(written.fileno())
        part.chmod(0o644)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Replace `path` by `text`, UTF-8, in one step."""
    with replacing(path) as part:
        part.write_text(text, encoding="utf-8")
