"""Reading what others wrote: lists, JSON and folders. A fault names its file, and what a system hid stays hidden."""

from __future__ import annotations

import json
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePath
from typing import Any

import numpy as np

_MISSING = "{} is missing; was the archive unpacked as published?"
_OF_THE_SYSTEM = {"__MACOSX", "@eaDir", "$RECYCLE.BIN", "System Volume Information", "lost+found"}


def is_visible(path: PurePath) -> bool:
    """False for what an editor, an archiver or a system left beside the data: .ipynb_checkpoints, ._x, __MACOSX."""
    return not path.name.startswith(".") and path.name not in _OF_THE_SYSTEM


def visible(folder: Path, suffixes: Iterable[str] = ()) -> list[Path]:
    """What a folder holds, sorted by name; with suffixes, such as ".jpg", only the files that have one of them."""
    wanted = set(suffixes)
    return sorted(
        path
        for path in folder.iterdir()
        if is_visible(path) and (not wanted or (path.suffix.lower() in wanted and path.is_file()))
    )


def text(file: Path, missing: str = _MISSING) -> str:
    """The content of a UTF-8 file, without its byte order mark; whatever ends its lines is "\\n".

    Raises:
        FileNotFoundError: it is missing, said in the words of `missing`.
        ValueError: it is not UTF-8.
    """
    if not file.is_file():
        raise FileNotFoundError(missing.format(file))
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{file} is not UTF-8 text (byte {error.object[error.start]:#04x} at position {error.start}); "
            "save it as UTF-8, or download it again."
        ) from None


def lines(file: Path, missing: str = _MISSING) -> list[str]:
    """The lines of a text file that are not blank, without blanks around them.

    Raises:
        ValueError: there is none.
    """
    found = [line.strip() for line in text(file, missing).split("\n") if line.strip()]
    if not found:
        raise ValueError(f"{file} is empty; download it again.")
    return found


def json_of(file: Path, kind: type, missing: str = _MISSING) -> Any:
    """The content of a JSON file, which is a `kind`: list or dict, and not an empty one.

    Raises:
        ValueError: it is not JSON, something else, or empty.
    """
    written = text(file, missing)
    try:
        content = json.loads(written)
    except (ValueError, RecursionError) as error:  # a ValueError: a number of thousands of digits
        raise ValueError(f"{file} is not JSON ({error}); download it again.") from error
    if not isinstance(content, kind):
        raise ValueError(f"{file}: expected a JSON {kind.__name__}, got {type(content).__name__}.")
    if not content:
        raise ValueError(f"{file} is empty: it lists nothing; download it again.")
    return content


def arrays(file: Path, names: Sequence[str]) -> list[np.ndarray]:
    """Arrays of an .npz file by their names; nothing in it is unpickled.

    Raises:
        FileNotFoundError: it is missing.
        ValueError: it is no such file, is damaged, or lacks an array.
    """
    if not file.is_file():
        raise FileNotFoundError(_MISSING.format(file))
    try:
        with np.load(file, allow_pickle=False) as held:
            return [held[name] for name in names]
    except (
        AttributeError,
        EOFError,
        KeyError,
        OSError,
        TypeError,
        ValueError,
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        raise ValueError(
            f"{file} is not an .npz file with {', '.join(names)} ({error}); make it again."
        ) from error


def distinct(values: Sequence[str], file: Path) -> tuple[str, ...]:
    """The values, none of which comes twice: the second class of a name would never be found.

    Raises:
        ValueError: one does.
    """
    if twice := [value for value, count in Counter(values).items() if count > 1]:
        raise ValueError(f"{file} lists {twice[0]!r} twice; download it again.")
    return tuple(values)


def is_name(name: str) -> bool:
    """Whether this is the name of a file, and no path that leads elsewhere."""
    return bool(name) and PurePath(name).name == name and name not in {".", ".."}
