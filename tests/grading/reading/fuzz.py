"""Notebooks changed at random, for the parts that read students' files.

    python tests/grading/reading/fuzz.py SECONDS [SEED]

Each round takes a notebook of a small corpus and changes its bytes, its JSON or its code; what is made must be read or
refused in one sentence. It prints how many were, and keeps what broke the rule.
"""

from __future__ import annotations

import copy
import json
import random
import sys
import time
from functools import cache
from pathlib import Path
from typing import Any

from efficientlab.environment import ROOT
from efficientlab.exercises.labs import find_lab
from efficientlab.grading.reading import gradescope
from efficientlab.grading.reading.archive import printable
from efficientlab.grading.reading.notebook import without_outputs
from efficientlab.grading.reading.outline import Outline, handed_out
from efficientlab.grading.reading.submission import SubmissionError, parse_notebook, read_submission

PIECES = (
    *(
        "def clip_logits(b, v):\n    return v",
        "lambda: (a := 1)",
        "%time x = 1",
        "!ls",
        "a?",
        "'''",
        '"',
        "\\",
        "\n",
        "\t",
    ),
    *(
        "try:\n    pass\nfinally:\n    pass",
        "global a",
        "exec('a = 1')",
        "globals()['a'] = 1",
        "*",
        "await f()",
        "\x00",
    ),
    *(
        "\ud800",
        "é",
        "\u202e",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "match a:\n    case [b]: pass",
        "class C[T]: pass",
        "f'{a'",
    ),
    *(
        "x.fill_(1)",
        "del a[0]",
        "from a import *",
        "from __future__ import annotations",
        "@a\n",
        "# Exercise 4.9",
        "#",
    ),
)
VALUES: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    1e308,
    "",
    "x",
    [],
    {},
    [[]],
    {"a": None},
    "ex-4-1",
    "check-4-1",
    "raw",
)


@cache
def corpus() -> tuple[bytes, ...]:
    """Small notebooks with everything in them that the reader knows."""
    lab = json.loads((ROOT / "labs" / "lab4_tsm.ipynb").read_text(encoding="utf-8"))
    some = {**lab, "cells": lab["cells"][3:14]}
    plain = [
        {"cell_type": "code", "metadata": {}, "source": piece, "outputs": [{"text": "1"}]} for piece in PIECES
    ]
    text = [
        {
            "cell_type": "markdown",
            "source": "### Exercise 4.9\n\nx",
            "attachments": {"a.png": {"image/png": "AA=="}},
        }
    ]
    made = [
        some,
        # few cells each: of a large notebook most of the time goes into what was not changed
        *({"cells": plain[i : i + 5] + text, "metadata": {}, "nbformat": 4} for i in range(0, len(plain), 5)),
        {"worksheets": [{"cells": plain[:4]}]},
    ]
    return tuple(json.dumps(notebook).encode() for notebook in made)


def changed(draw: random.Random) -> bytes:
    """One notebook, changed."""
    data = draw.choice(corpus())
    return draw.choice((_bytes, _json, _code))(data, draw)


def _bytes(data: bytes, draw: random.Random) -> bytes:
    content = bytearray(data)
    for _ in range(draw.randint(1, 8)):
        at = draw.randrange(len(content))
        kind = draw.randrange(4)
        if kind == 0:
            content[at] = draw.randrange(256)
        elif kind == 1:
            del content[at : at + draw.randint(1, 60)]
        elif kind == 2:
            content[at:at] = content[at : at + draw.randint(1, 200)] * draw.randint(1, 20)
        else:
            content[at:at] = draw.choice(PIECES).encode("utf-8", "surrogatepass")
    return bytes(content)


def _json(data: bytes, draw: random.Random) -> bytes:
    notebook = json.loads(data)
    for _ in range(draw.randint(1, 4)):
        spot: Any = notebook
        for _ in range(draw.randint(0, 6)):
            inner = list(spot.values()) if isinstance(spot, dict) else spot
            inner = [one for one in inner if isinstance(one, dict | list) and one]
            if not inner:
                break
            spot = draw.choice(inner)
        if isinstance(spot, dict) and spot:
            spot[draw.choice(list(spot))] = copy.deepcopy(draw.choice(VALUES))
        elif spot:
            spot[draw.randrange(len(spot))] = copy.deepcopy(draw.choice(VALUES))
    return json.dumps(notebook).encode()


def _code(data: bytes, draw: random.Random) -> bytes:
    notebook = json.loads(data)
    cells = notebook.get("cells") or notebook["worksheets"][0]["cells"]
    cell = draw.choice(cells)
    cell["source"] = "".join(draw.choice(PIECES) for _ in range(draw.randint(1, 30)))
    return json.dumps(notebook).encode()


def main(seconds: float, seed: int) -> int:
    """Change and read until the time of the processor is over; 1 if anything was neither read nor refused."""
    draw = random.Random(seed)
    lab = Outline.of(find_lab(4))
    texts = handed_out(lab.slug)
    ends = time.process_time() + seconds
    rounds = refused = broke = 0
    path = Path("fuzz.ipynb")
    while time.process_time() < ends:
        data = changed(draw)
        rounds += 1
        try:
            text = data.decode("utf-8", "replace")
            without_outputs(text)
            printable(text[:300])
            if rounds % 50 == 0:
                gradescope.entries(text)
            try:
                notebook = json.loads(without_outputs(text))
            except (ValueError, RecursionError):
                path.write_bytes(data)
                read_submission(path, lab, texts)
            else:
                parse_notebook(notebook, lab, path, texts).to_json()
        except SubmissionError:
            refused += 1
        except Exception as error:
            broke += 1
            Path(f"fuzz-{rounds}.ipynb").write_bytes(data)
            print(f"round {rounds}: {type(error).__name__}: {error}")
    path.unlink(missing_ok=True)
    print(f"{rounds:,} rounds from seed {seed}: {refused:,} refused, {broke:,} broke the rule")
    return 1 if broke else 0


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0))
