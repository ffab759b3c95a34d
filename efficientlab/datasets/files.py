"""Where the shipped data lives, and the proof that it is what was shipped.

Every shipped file has a row in ``data/manifest.json`` with its size and sha256. A file is handed out only
after both agree, so a damaged one is named at once and not three cells later. In a checkout ``data/`` stands
beside the package; the wheel carries it inside, as ``efficientlab/data``.
"""

import functools
import hashlib
import json
from pathlib import Path
from typing import Any

_PACKAGE = Path(__file__).resolve().parents[1]
_FIX = "install efficientlab again, or restore the file with `git checkout -- data`"


def data_root() -> Path:
    """Folder of the shipped data: inside an installed package, or beside the package in a checkout.

    Raises:
        FileNotFoundError: neither place holds a ``manifest.json``.
    """
    places = (_PACKAGE / "data", _PACKAGE.parent / "data")
    for place in places:
        if (place / "manifest.json").is_file():
            return place
    raise FileNotFoundError(
        f"the shipped data is missing: no manifest.json in {places[0]} or {places[1]}; {_FIX}."
    )


def manifest() -> dict[str, dict[str, Any]]:
    """Rows of ``data/manifest.json``: file name relative to ``data/`` -> sha256, bytes, licence, source, …"""
    path = data_root() / "manifest.json"
    try:
        rows: dict[str, dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["files"]
    except (json.JSONDecodeError, KeyError) as error:
        raise ValueError(f"{path} is damaged ({error}); {_FIX}.") from error
    return rows


def data_path(name: str) -> Path:
    """Path of a shipped file, after its size and sha256 were checked against the manifest.

    Args:
        name: file name relative to ``data/``, such as ``"sprites.npz"``.

    Raises:
        FileNotFoundError: the manifest has no such row, or the file is not there.
        ValueError: the file is there but is not the one that was shipped.
    """
    row = manifest().get(name)
    if row is None:
        raise FileNotFoundError(
            f"no shipped data file is called {name!r}; there are {', '.join(sorted(manifest()))}."
        )
    path = data_root() / name
    if not path.is_file():
        raise FileNotFoundError(f"the data file {name} is missing at {path}; {_FIX}.")
    status = path.stat()
    if status.st_size != row["bytes"]:
        raise ValueError(
            f"{path} is damaged: it has {status.st_size} bytes, expected {row['bytes']}; {_FIX}."
        )
    digest = _sha256(path, status.st_mtime_ns)
    if digest != row["sha256"]:
        raise ValueError(
            f"{path} is damaged: its sha256 is {digest[:12]}…, expected {row['sha256'][:12]}…; {_FIX}."
        )
    return path


@functools.lru_cache(maxsize=64)
def _sha256(path: Path, mtime_ns: int) -> str:
    """Digest of a file; the modification time is part of the cache's key, so an edited file is read again."""
    del mtime_ns
    return hashlib.sha256(path.read_bytes()).hexdigest()
