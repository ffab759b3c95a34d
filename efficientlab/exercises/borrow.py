"""Borrow an answer, for no points, so that the story goes on: what `lab.borrow` hands out.

The texts are the solution's, written by `efficientlab build` into `lent/SLUG.json`, packed so that nobody reads them
by accident. Whoever wants to read them can: this is a courtesy and no lock. What keeps the points honest is that the
grader refuses to hand out the answer that it is about to check: its boxes do not see these files, and get the texts of
the other answers alone.
"""

from __future__ import annotations

import base64
import json
import linecache
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from efficientlab.files import write_text

FOLDER = Path(__file__).parent / "lent"
ABOUT = "Answers that lab.borrow hands out for no points, packed so that nobody reads them by accident."


class Borrowed(Exception):
    """An answer that is borrowed was to be checked, or cannot be borrowed here."""

    def _render_traceback_(self) -> list[str]:
        return [f"Borrowed: {self}"]


def pack(slug: str, texts: Mapping[str, str], folder: Path = FOLDER) -> Path:
    """Write the texts of a lab's answers, by exercise id, to `folder/SLUG.json`; return the path."""
    packed = {key: base64.b85encode(zlib.compress(text.encode(), 9)).decode() for key, text in texts.items()}
    folder.mkdir(exist_ok=True)
    path = folder / f"{slug}.json"
    write_text(path, json.dumps({"about": ABOUT, **packed}, indent=1) + "\n")
    return path


def unpack(slug: str, folder: Path = FOLDER) -> dict[str, str]:
    """The texts of a lab's answers, by exercise id; `Borrowed` where this copy lends none."""
    path = folder / f"{slug}.json"
    if not path.exists():
        raise Borrowed("answers are not lent in this copy of the lab; ask the person who teaches it.")
    packed = json.loads(path.read_text(encoding="utf-8"))
    return {
        key: zlib.decompress(base64.b85decode(text)).decode()
        for key, text in packed.items()
        if key != "about"
    }


def hand_out(slug: str, exercise_id: str, name: str, texts: Mapping[str, str] | None = None) -> Any:
    """The object `name` that the solution defines for an exercise, made anew in a namespace of its own.

    `texts` are those that may be handed out; without them, this copy's. `Borrowed` where the answer is not among them.
    """
    texts = unpack(slug) if texts is None else texts
    if exercise_id not in texts:
        raise Borrowed(f"the answer to exercise {exercise_id} is borrowed.")
    text = texts[exercise_id]
    filename = f"<borrowed {exercise_id}>"
    # Triton reads the source of its kernels
    linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
    namespace: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(text, filename, "exec"), namespace)
    return namespace[name]
