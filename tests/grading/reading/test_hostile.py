"""Files made to harm the one who reads them: within limits of time and memory, and at their owner's cost alone."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from efficientlab.exercises.labs import find_lab
from efficientlab.grading.reading.reader import Reader
from efficientlab.grading.reading.submission import SubmissionError

LAB = find_lab(4)
ANSWER = "def clip_logits(backbone, video):\n    return video"
SECONDS = 4.0


def cells(*sources: str) -> bytes:
    return json.dumps(
        {"cells": [{"cell_type": "code", "metadata": {}, "source": s} for s in sources]}
    ).encode()


def said(reader: Reader, path: Path) -> str:
    """The sentence with which a file is refused; nothing where it is read."""
    try:
        reader.submission(path)
    except SubmissionError as error:
        return str(error)
    return ""


def nested(begin: str, end: str, middle: str, depth: int) -> str:
    return begin * depth + middle + end * depth


def indented(head: str, tail: str, depth: int, width: int = 40) -> str:
    lines = [" " * i + head for i in range(depth)] + [" " * depth + "x = 1"]
    body = ["\n".join(" " * (i + 1) + f"y{n} = {n}" for n in range(width)) for i in range(depth)]
    return "\n".join([*lines, *(f"{' ' * i}{tail}\n{body[i]}" for i in reversed(range(depth)))])


HOSTILE = {
    "lambdas that bind": cells(nested("lambda: (a := ", ")", "1", 60), ANSWER),
    "lambdas in comprehensions": cells(nested("[(a := lambda: ", ") for b in c]", "1", 40), ANSWER),
    "comprehensions": cells("x = " + nested("[", " for a in b]", "1", 80), ANSWER),
    "finally in finally": cells(
        ANSWER + "\n"
        + "\n".join("    " * i + "try:\n" + "    " * (i + 1) + "f()\n" + "    " * i + "finally:" for i in range(19))
        + "\n" + "    " * 19 + "pass",
    ),
    "finally beside finally": cells(indented("try:", "finally:", 19), ANSWER),
    "with in with": cells("\n".join(" " * i + "with a:" for i in range(90)) + "\n" + " " * 90 + "pass", ANSWER),
    "many returns through a finally": cells(
        "def clip_logits(b, v):\n  try:\n" + "    if b: return v\n" * 4_000 + "  finally:\n" + "    v += 1\n" * 4_000
    ),
    "one name again and again": cells("\n".join(["a = 1", *["a += a"] * 19_000]), f"{ANSWER} + a"),
    "one list again and again": cells("\n".join(["a = []", *["a.append(a)"] * 8_000]), f"{ANSWER} + a[0]"),
    "names that hang on each other": cells(
        "\n".join(f"a{i} = a{i + 1}, a{i + 2}" for i in range(9_000)), f"{ANSWER} + a0"
    ),
    "functions that call each other": cells(
        "\n".join(f"def f{i}():\n  global g{i}\n  f{i + 1}(), f{i + 2}()" for i in range(4_000)), f"f0()\n{ANSWER}"
    ),
    "attributes": cells("a" + ".b" * 49_000, ANSWER),
    "a long sum": cells("x = " + "+".join("1" * 40_000), ANSWER),
    "parentheses": cells("(" * 90_000, ANSWER),
    "a dictionary of displays": cells("x = " + nested("{1: ", "}", "1", 90), ANSWER),
    "match": cells("match a:\n" + "\n".join(f"  case [{'_, ' * 200}b{i}]: pass" for i in range(300)), ANSWER),
    "an f-string": cells("x = f'" + "{a!r:>{b}}" * 5_000 + "'", ANSWER),
    "decorators": cells("@a\n" * 20_000 + ANSWER),
    "a name of a megabyte": cells("a" * 99_000 + " = 1", ANSWER),
    "exec of exec": cells("exec(" + repr("exec(" + repr("exec('a = 1')") + ")") + ")", ANSWER),
    "exec of nests": cells("exec(" + repr(nested("lambda: (a := ", ")", "1", 60)) + ")", ANSWER),
    "magics": cells("%time " * 15_000 + "x", "!" * 90_000, "a?" * 40_000, ANSWER),
    "half quotes": b'{"cells": ["' + b'\\"' * 2_000_000,
    "brackets": b"[" * 4_000_000,
    "outputs without end": b'{"cells": [{"outputs": [' + b"[],{}," * 600_000,
    "outputs in outputs": b'{"cells": [{"outputs": ' + b'[{"outputs": ' * 200_000,
    "keys": b"{" + b",".join(b'"%d": 1' % i for i in range(990_000)) + b"}",
    "digits": b'{"cells": ' + b"9" * 20_000_000 + b"}",
    "conflict marks": b"=======\n" * 3_000_000,
    "surrogates": cells("x = '\ud800'", ANSWER),
    "ids of megabytes": json.dumps(
        {"cells": [{"cell_type": "code", "id": "ex-" * 7_000_000, "metadata": {}, "source": ANSWER}]}
    ).encode(),
    "a cell type of a list": json.dumps(
        {"cells": [{"cell_type": [["x"] * 1000] * 300, "metadata": {}, "source": ANSWER}]}
    ).encode(),
    "utf-32": cells(ANSWER, "x = '" + "a" * 90_000 + "'").decode().encode("utf-32"),
    "headings": json.dumps({"cells": [{"cell_type": "markdown", "source": "# Exercise 4.9 " * 900_000}]}).encode(),
    "a picture that never ends": json.dumps(
        {"cells": [{"cell_type": "markdown", "source": "Exercise 4.9 data:image/png;base64," + "A " * 2_000_000}]}
    ).encode(),
}  # fmt: skip


@pytest.fixture(scope="module")
def reader() -> Iterator[Reader]:
    with Reader(LAB, SECONDS) as opened:
        yield opened


@pytest.mark.slow
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_costs_its_owner_alone(name: str, reader: Reader, tmp_path: Path) -> None:
    path = tmp_path / "x.ipynb"
    path.write_bytes(HOSTILE[name])
    start = time.monotonic()
    sentence = said(reader, path)
    assert not sentence or (sentence.startswith(f"{path}: ") and len(sentence) < 700)
    assert time.monotonic() - start < SECONDS + 10
    path.write_bytes(cells(ANSWER))
    assert reader.submission(path).answers("4.1")


@pytest.mark.slow
def test_what_takes_too_long_is_ended_and_the_next_is_read(tmp_path: Path) -> None:
    path = tmp_path / "x.ipynb"
    path.write_bytes(cells(*["\n".join(["a = 1", *["a += a"] * 4_000])] * 3, f"{ANSWER} + a"))
    with Reader(LAB, seconds=0.05) as reader:
        with pytest.raises(SubmissionError, match="it takes more than 0 s to read"):
            reader.submission(path)
        reader.seconds = 60
        assert reader.submission(path).answers("4.1")


def test_what_takes_too_much_memory_is_ended_and_the_next_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.ipynb"
    monkeypatch.setattr("efficientlab.grading.reading.reader.MAX_ANSWER", 10)
    path.write_bytes(cells(ANSWER))
    with Reader(LAB) as reader:
        with pytest.raises(SubmissionError, match="ended the process"):
            reader.submission(path)
        monkeypatch.undo()
        assert reader.submission(path).answers("4.1")


@pytest.mark.slow
def test_a_notebook_of_lines_takes_time_as_its_length(reader: Reader, tmp_path: Path) -> None:
    def seconds(lines: int) -> float:
        path = tmp_path / "x.ipynb"
        path.write_bytes(cells("\n".join(["a = 1", *["a += a"] * lines]), f"{ANSWER} + a"))
        best = 1e9
        for _ in range(2):
            start = time.monotonic()
            reader.submission(path)
            best = min(best, time.monotonic() - start)
        return best

    seconds(100)
    assert seconds(5_000) < 25 * max(seconds(500), 0.02)  # ten times the text; quadratic would be 100


@pytest.mark.slow
def test_any_change_of_a_notebook_is_read_or_refused(reader: Reader, tmp_path: Path) -> None:
    """A short run of the fuzzer beside this file: `python tests/grading/reading/fuzz.py SECONDS` goes on for longer."""
    from fuzz import changed

    draw = random.Random(3)
    path = tmp_path / "x.ipynb"
    for _ in range(150):
        path.write_bytes(changed(draw))
        assert "ended the process" not in said(reader, path)
