"""A notebook file as cells: JSON of any encoding and format, with limits, and one sentence where it is none."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MAX_BYTES = 25_000_000
MAX_TOKENS = 1_000_000  # of JSON's own: they become Python objects, and must fit in memory
MAX_CELLS = 2_000


class SubmissionError(Exception):
    """The file cannot be read as a submission at all; the message names the file and what to do."""


@dataclass(frozen=True)
class RawCell:
    """A cell before anyone asked what it says. `ids` are its nbgrader id and its own."""

    number: int  # position in the notebook, from 1
    kind: str
    source: str
    ids: tuple[str, ...]


def load_notebook(path: Path) -> Any:
    """The JSON of the file at `path`, in UTF-8, UTF-16 or UTF-32, with a byte order mark or without."""
    try:
        if path.is_dir():
            raise SubmissionError(f"{path}: this is a folder; give the notebook in it.")
        if not path.is_file():
            raise SubmissionError(f"{path}: there is no such file.")
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:  # a name that is too long, no permission, a null byte
        reason = getattr(error, "strerror", None) or error
        shown = str(path) if len(str(path)) < 200 else f"{str(path)[:200]}…"
        raise SubmissionError(f"{shown}: the file cannot be opened ({reason}).") from None
    hint = "clear the notebook's outputs and hand it in again."
    if len(data) > MAX_BYTES:
        raise SubmissionError(f"{path}: the file is larger than {MAX_BYTES / 1e6:.0f} MB; {hint}")
    if sum(map(data.count, (b",", b":", b"[", b"{"))) > MAX_TOKENS:
        raise SubmissionError(f"{path}: the file has more than {MAX_TOKENS:,} entries; {hint}")
    try:
        return json.loads(_text(data))
    except (ValueError, RecursionError) as error:  # no JSON, or a number of thousands of digits
        raise SubmissionError(f"{path}: this is not a notebook (.ipynb is JSON; {error}).") from None


def _text(data: bytes) -> str:
    """`data` in the encoding that JSON's first bytes show; bytes of no Unicode become U+FFFD, not an error."""
    return data.decode(json.detect_encoding(data), errors="replace").removeprefix("\ufeff")


def raw_cells(notebook: Any, path: Path) -> tuple[list[RawCell], list[str]]:
    """The cells of a notebook's JSON, tolerant about everything that does not matter; and notes on what was odd."""
    notes: list[str] = []
    cells = notebook.get("cells") if isinstance(notebook, dict) else None
    if cells is None and isinstance(notebook, dict) and isinstance(notebook.get("worksheets"), list):
        notes.append("the notebook has the old format 3")
        sheets = [sheet.get("cells") for sheet in notebook["worksheets"] if isinstance(sheet, dict)]
        cells = [cell for sheet in sheets if isinstance(sheet, list) for cell in sheet]
    if not isinstance(cells, list):
        raise SubmissionError(f"{path}: this JSON has no list of cells, so it is no notebook.")
    if len(cells) > MAX_CELLS:
        raise SubmissionError(f"{path}: the notebook has {len(cells)} cells, the limit is {MAX_CELLS}.")
    raw = [_raw_cell(number, cell) for number, cell in enumerate(cells, start=1) if isinstance(cell, dict)]
    return raw, notes


def _raw_cell(number: int, cell: dict[str, Any]) -> RawCell:
    source = cell.get("source", cell.get("input", ""))  # `input` in format 3
    if isinstance(source, list):
        source = "".join(part for part in source if isinstance(part, str))
    if not isinstance(source, str):
        source = ""
    metadata = cell.get("metadata")
    nbgrader = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    grade_id = nbgrader.get("grade_id") if isinstance(nbgrader, dict) else None
    ids = tuple(name for name in (grade_id, cell.get("id")) if isinstance(name, str))
    return RawCell(number, str(cell.get("cell_type", ""))[:20], _tidy(source), ids)


def _tidy(source: str) -> str:
    """Newlines of every system as one; no byte order mark, no half of a surrogate pair."""
    source = source.replace("\r\n", "\n").replace("\r", "\n").removeprefix("\ufeff")
    return source.encode("utf-8", errors="replace").decode("utf-8")
