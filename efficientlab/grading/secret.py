"""Secrets of a folder of results: what signs its records, and what hides who wrote an answer."""

from __future__ import annotations

import os
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path


def secret(path: Path) -> bytes:
    """The secret in a file, which the first who asks makes; readable by its owner alone."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        # under a name of its own: processes of several nodes may have one number
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        os.write(handle, secrets.token_hex(32).encode())
        os.close(handle)
        with suppress(FileExistsError):
            path.hardlink_to(name)  # of several jobs that begin at once, one makes it
        Path(name).unlink()
    return path.read_bytes().strip()
