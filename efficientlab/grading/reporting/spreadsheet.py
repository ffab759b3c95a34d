"""A table that comes back from a spreadsheet, whatever program saved it, in whatever dialect."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

SEPARATORS = ",;\t|"


class TableError(Exception):
    """The file holds no such table; the message says why, and how it should have been saved."""


def rows_of(path: Path, columns: Sequence[str]) -> list[tuple[int, Mapping[str, str]]]:
    """The rows below the line that names the `columns`, each with its number; nothing for a cell that is not there.

    What stands above that line (a title, `sep=;`, empty lines) is passed over, and so are columns of other names.
    """
    text = _decoded(path.read_bytes())
    fewest: list[str] = list(columns)
    trouble = ""
    for separator in SEPARATORS:
        try:
            table = list(csv.reader(io.StringIO(text, newline=None), delimiter=separator))
        except csv.Error as error:
            trouble = f" ({error})"
            continue
        for at, row in enumerate(table):
            names = [cell.strip().casefold() for cell in row]
            missing = [name for name in columns if name not in names]
            if not missing:
                if twice := [name for name in columns if names.count(name) > 1]:
                    raise TableError(
                        f"the column {twice[0]} stands there twice; give one of them another name."
                    )
                below = enumerate(table[at + 1 :], start=at + 2)
                return [(n, dict(zip(names, map(str.strip, cells), strict=False))) for n, cells in below]
            fewest = min(fewest, missing, key=len)
    lacks = ", ".join(fewest)
    raise TableError(f"the column {lacks} is missing{trouble}; keep the first line, and save it as CSV.")


def _decoded(data: bytes) -> str:
    """Text in UTF-8 or UTF-16, or else in the code page of western Windows, which can be every file."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", errors="replace")
    if data[1:2] == b"\0" or data[:1] == b"\0":
        return data.decode("utf-16-le" if data[1:2] == b"\0" else "utf-16-be", errors="replace")
    try:
        return data.decode("utf-8").lstrip("\ufeff")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")
