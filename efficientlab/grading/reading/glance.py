"""A first look at a notebook: which lab it is of, and how much of it is done. It decides which of several counts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from efficientlab.grading.reading.notebook import RawCell, load_notebook, raw_cells
from efficientlab.grading.reading.outline import Outline
from efficientlab.grading.reading.submission import SubmissionError, parse_notebook

_LAB = re.compile(r"(?:^|[^A-Za-z])lab[ _-]?(\d{1,3})(?!\d)", re.I)
_IMPORT = re.compile(r"^\s*from efficientlab\.exercises\.lab(\d+) import lab\b", re.M)
_ID = re.compile(r"(?:ex|check)-(\d+)-\d+$")
_STUB = re.compile(r"^\s*raise NotImplementedError\(", re.M)


def glance(path: Path, lab: Outline) -> dict[str, Any]:
    """The number of the lab that a notebook is of, and of its exercises those defined and those answered."""
    notebook = load_notebook(path)
    cells, _ = raw_cells(notebook, path)
    try:
        submission = parse_notebook(notebook, lab, path)
    except SubmissionError:
        return {"lab": lab_of(notebook, cells), "defined": 0, "answered": 0}
    defined = {e for cell in submission.cells for e in cell.exercises}
    answered = {e for cell in submission.cells if not _STUB.search(cell.source) for e in cell.exercises}
    written = {e for e, text in submission.written.items() if text}
    return {
        "lab": lab_of(notebook, cells),
        "defined": len(defined),
        "answered": len(answered | written),
    }


def lab_of(notebook: Any, cells: Sequence[RawCell]) -> int | None:
    """The lab that a notebook says it is of: in its metadata, its cells' ids, the import of its `lab`."""
    metadata = notebook.get("metadata") if isinstance(notebook, dict) else None
    colab = metadata.get("colab") if isinstance(metadata, dict) else None
    name = colab.get("name") if isinstance(colab, dict) else None
    if isinstance(name, str) and (number := lab_in_name(name)) is not None:
        return number
    ids = Counter(int(match[1]) for cell in cells for i in cell.ids if (match := _ID.match(i[:40])))
    imported = (int(match[1]) for cell in cells if (match := _IMPORT.search(cell.source)))
    return ids.most_common(1)[0][0] if ids else next(imported, None)


def lab_in_name(name: str) -> int | None:
    """The lab's number in the name of a file: `lab4_tsm (2).ipynb`, `Lab 4.ipynb`."""
    match = _LAB.search(name)
    return int(match[1]) if match else None
