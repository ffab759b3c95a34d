"""Gradescope's `submission_metadata.yml`: who handed in which folder, out of megabytes of results and history.

The file is cut into its entries line by line, and only the few lines about people and time are kept for a YAML parser.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from efficientlab.grading.reading.archive import printable

MAX_ENTRY = 20_000  # characters about people and time in one entry
_ENTRY = re.compile(r"""["']?(submission_\d+)["']?:\s*$""")
_KEY = re.compile(r"  ?:?(\w+):")
_KEPT = ("submitters", "created_at")


def entries(text: str) -> dict[str, str]:
    """The YAML of each entry's `submitters` and `created_at`, by folder name."""
    found: dict[str, str] = {}
    for folder, lines in _blocks(text):
        kept: list[str] = []
        keep = False
        for line in lines:
            if key := _KEY.match(line):
                keep = key[1] in _KEPT
            if keep and len(kept) < 1_000:
                kept.append(line[:1_000])
        found[folder] = "\n".join(kept)[:MAX_ENTRY]
    return found


def _blocks(text: str) -> Iterable[tuple[str, list[str]]]:
    folder = ""
    lines: list[str] = []
    for line in text.splitlines():
        if match := _ENTRY.match(line):
            if folder:
                yield folder, lines
            folder, lines = match[1], []
        elif folder and line.startswith(" "):
            lines.append(line)
    if folder:
        yield folder, lines


def people(entry: str) -> dict[str, Any]:
    """One entry read: `people` as dictionaries of name, sid and email, and `submitted`, an ISO time or None."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    raw = yaml.load(entry, loader)
    found = [
        {key: printable(str(_get(person, key) or "")[:300]) for key in ("name", "sid", "email")}
        for person in _get(raw, "submitters") or []
        if isinstance(person, dict)
    ]
    created, submitted = _get(raw, "created_at"), None
    with suppress(TypeError, ValueError):
        when = created if isinstance(created, datetime) else datetime.fromisoformat(str(created))
        submitted = (when if when.tzinfo else when.replace(tzinfo=UTC)).isoformat()
    return {"people": found[:100], "submitted": submitted}


def _get(entry: Any, key: str) -> Any:
    """The value of a key, which is a symbol where Ruby wrote it."""
    return entry.get(f":{key}", entry.get(key)) if isinstance(entry, Mapping) else None
