"""A notebook file as cells: JSON of any encoding and format, with limits, and one sentence where it is none.

Outputs and the state of widgets are dropped from the text before anything is parsed or counted: they can be a hundred
times as large as the code, and no answer is in them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MAX_FILE = 100_000_000  # bytes, outputs included
MAX_TEXT = 60_000_000  # characters of what is left without outputs: photographs, pasted into answers
MAX_TOKENS = 1_000_000  # of JSON's own: they become Python objects, and must fit in memory
MAX_CELLS = 2_000

_STRING = r'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z)'  # one that never ends is one to the end
_TOKENS = re.compile(rf"{_STRING}|[\[\]{{}}]", re.S)
_STRINGS = re.compile(_STRING, re.S)
_MARKDOWN = re.compile(r"\s*%{1,2}(?:md|markdown)\b[ \t]*\n?")  # Databricks' text cells, Jupyter's in code
_VALUE = re.compile(r"\s*:\s*[\[{]")
_CONFLICT = re.compile(rb"^(?:<{7}|={7}|>{7})(?: |\r?$)", re.M)
_SCRIPT = re.compile(rb"\A(?:\xef\xbb\xbf)?\s*(?:#|import |from |def |class |@|\"\"\"|''')")
_KINDS = (
    (rb"\A[\s\0]*\Z", "the file is empty"),
    (rb"\A%PDF", "it is a PDF; hand in the .ipynb file itself"),
    (rb"\APK[\3\5]", "it is a zip archive, or an office document, under another name; hand in the .ipynb file itself"),
    (rb"\A(?:Rar!|7z\xbc\xaf|\x1f\x8b|BZh|\xfd7zXZ)", "it is an archive; hand in the .ipynb file, or a .zip of it"),
    (rb"\A(?:\x89PNG|\xff\xd8\xff|GIF8)", "it is a picture"),
    (rb"(?s)\A.{257}ustar", "it is an archive; hand in the .ipynb file, or a .zip of it"),
    (rb"(?i)\A(?:return-path|received|delivered-to|from|to|cc|date|subject|message-id|mime-version|x-[\w-]+):",
     "it is an e-mail; save the notebook that is attached to it"),
    (rb"\A\xd0\xcf\x11\xe0", "it is an office document, or an e-mail of Outlook; save the notebook that is in it"),
    (rb"(?s)\A.{4}ftyp", "it is a picture or a film"),
    (rb"\A\{\\rtf", "it is a text of a word processor; hand in the .ipynb file itself"),
    (rb"\Aversion https://git-lfs", "it is a pointer of Git LFS; hand in the file itself"),
    (rb"\A---\r?\n", "it is a text with a head, as jupytext writes it; hand in the .ipynb file"),
    (rb"(?is)\A(?:\[InternetShortcut\]|<\?xml[^>]*>\s*<(?:!doctype )?plist)", "it is a link; hand in the file itself"),
    (rb"(?i)\A(?:\xef\xbb\xbf)?\s*<(?:!doctype|html|head|\?xml)", "it is a web page; download the file itself"),
)  # fmt: skip


class SubmissionError(Exception):
    """The file cannot be read as a submission at all; the message names the file and what to do."""


@dataclass(frozen=True)
class RawCell:
    """A cell before anyone asked what it says. `ids` are its nbgrader id and its own.

    `pictures` are what was pasted into a Markdown cell: file name → (media type, base64).
    """

    number: int  # position in the notebook, from 1
    kind: str
    source: str
    ids: tuple[str, ...]
    pictures: Mapping[str, tuple[str, str]] = field(default_factory=dict)


def load_notebook(path: Path) -> Any:
    """The JSON of the file at `path`, in UTF-8, UTF-16 or UTF-32, with a byte order mark or without."""
    try:
        if path.is_dir():
            raise SubmissionError(f"{path}: this is a folder; give the notebook in it.")
        if not path.is_file():
            raise SubmissionError(f"{path}: there is no such file.")
        with path.open("rb") as file:
            data = file.read(MAX_FILE + 1)
    except (OSError, ValueError) as error:  # a name that is too long, no permission, a null byte
        reason = getattr(error, "strerror", None) or error
        shown = str(path) if len(str(path)) < 200 else f"{str(path)[:200]}…"
        raise SubmissionError(f"{shown}: the file cannot be opened ({reason}).") from None
    if len(data) > MAX_FILE:
        hint = "clear the notebook's outputs and hand it in again."
        raise SubmissionError(f"{path}: the file is larger than {MAX_FILE / 1e6:.0f} MB; {hint}")
    text = without_outputs(_text(data))
    if len(text) > MAX_TEXT:
        large = f"more than {MAX_TEXT / 1e6:.0f} MB are left without the notebook's outputs"
        raise SubmissionError(f"{path}: {large}; keep pictures and data in files.")
    bare = _STRINGS.sub("", text)
    if sum(map(bare.count, ",:[{")) > MAX_TOKENS:
        raise SubmissionError(f"{path}: the file has more than {MAX_TOKENS:,} entries beside its outputs.")
    try:
        return _value(text)
    except (ValueError, RecursionError) as error:  # no JSON, or a number of thousands of digits
        raise SubmissionError(f"{path}: this is not a notebook: {_what_it_is(data, error)}.") from None


def _value(text: str) -> Any:
    """The JSON value at a text's start: what was written over a longer file has the rest of that behind it."""
    text = text.lstrip()
    value, _ = json.JSONDecoder().raw_decode(text)
    if not isinstance(value, dict):
        json.loads(text)
    return value


def _text(data: bytes) -> str:
    """`data` in the encoding that JSON's first bytes show; bytes of no Unicode become U+FFFD, not an error.

    Zeros at the end, which a crash may leave, are dropped.
    """
    return data.decode(json.detect_encoding(data), errors="replace").removeprefix("\ufeff").rstrip("\0")


def without_outputs(text: str) -> str:
    """A notebook's JSON text with its cells' outputs and its widgets' state emptied, in one pass."""
    kept: list[str] = []
    start = depth = 0
    ends_at = -1  # the depth at which what is being dropped began
    for token in _TOKENS.finditer(text):
        at = token.start()
        first = text[at]
        if first == '"':
            if ends_at < 0 and _dropped(text, at, depth) and (value := _VALUE.match(text, token.end())):
                kept.append(text[start : value.end()])
                ends_at = depth
        elif first in "[{":
            depth += 1
        else:
            depth -= 1
            if 0 <= ends_at == depth:
                start, ends_at = at, -1
    return "".join([*kept, text[start:] if ends_at < 0 else ""])


def _dropped(text: str, at: int, depth: int) -> bool:
    """`outputs` of a cell, below `cells` or format 3's `worksheets`; `widgets` of the notebook's metadata."""
    return (depth in (3, 5) and text.startswith('"outputs"', at)) or (
        depth == 2 and text.startswith('"widgets"', at)
    )


def _what_it_is(data: bytes, error: Exception) -> str:
    """What was handed in as a notebook and is none, in words that its owner understands."""
    for pattern, kind in _KINDS:
        if re.match(pattern, data):
            return kind
    if mark := _CONFLICT.search(data):
        line = data.count(b"\n", 0, mark.start()) + 1
        return f"line {line} holds git's conflict marks; resolve the conflict and hand it in again"
    if data.lstrip()[:1] == b"{" and not data.rstrip().endswith(b"}"):
        return "it breaks off in the middle; save it and hand it in again"
    if _SCRIPT.match(data):
        return "it is a Python script; hand in the .ipynb file"
    return f".ipynb is JSON ({str(error)[:200]})"


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
    ids = tuple(_tidy(name) for name in (grade_id, cell.get("id")) if isinstance(name, str))
    kind = _tidy(str(cell.get("cell_type", ""))[:20])
    if kind == "code" and (magic := _MARKDOWN.match(source)):
        kind, source = "markdown", source[magic.end() :]
    return RawCell(number, kind, _tidy(source), ids, _pictures(cell.get("attachments")))


def _pictures(attachments: Any) -> dict[str, tuple[str, str]]:
    """The attachments of a cell that are pictures, in base64."""
    found = {}
    for name, forms in attachments.items() if isinstance(attachments, dict) else ():
        for kind, data in forms.items() if isinstance(forms, dict) else ():
            if kind in ("image/png", "image/jpeg", "image/gif", "image/webp") and isinstance(data, str):
                data = "".join(data.split())
                if re.fullmatch(r"[A-Za-z0-9+/]*={0,2}", data):
                    found[_tidy(name)] = (kind, data)
    return found


def _tidy(source: str) -> str:
    """Newlines of every system as one; no byte order mark, no half of a surrogate pair."""
    source = source.replace("\r\n", "\n").replace("\r", "\n").removeprefix("\ufeff")
    return source.encode("utf-8", errors="replace").decode("utf-8")
