"""Exports made and damaged at random, for the parts that read zips, names and whose each file is.

    python tests/grading/reading/fuzz_zips.py SECONDS [SEED]

Each round writes a zip or a folder of files with odd names, some of them zips with more of these, and may change its
bytes. It must become a class, or be refused in one sentence; nothing may be written but what intake writes. It prints
how many rounds were, and keeps what broke the rule.
"""

from __future__ import annotations

import io
import json
import random
import shutil
import sys
import tempfile
import time
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from efficientlab.exercises.labs import find_lab
from efficientlab.grading.reading import intake as module
from efficientlab.grading.reading.archive import ArchiveError, printable
from efficientlab.grading.reading.intake import Intake, take_in
from efficientlab.grading.reading.reader import Reader
from efficientlab.grading.record import record_id

LAB = find_lab(4)
PEOPLE = (
    "ann",
    "Bob Smith",
    "Zoë",
    "Zoe\u0308",
    "Jos\u00e9 \u00d1",
    "smith_jr",
    "陈",
    "O'Brien",
    "x" * 260,
    "-",
    "17",
    "CON",
    "",
)
LABS = (
    "lab4_tsm",
    "lab4",
    "Lab 4",
    "lab0_cost",
    "Untitled",
    "scratch",
    "solution",
    "homework",
    "lab4_tsm (2)",
    "lab4_tsm-Copy1",
)
FORMS = (
    *("{p}.ipynb", "{p}/{l}.ipynb", "{p}/labs/{l}.ipynb", "{l}-{p}.ipynb", "{p}_{l}.ipynb", "{p}/{p}/{l}.ipynb"),
    *("{p}_{n}_{m}_{l}.ipynb", "{p}_LATE_{n}_{m}_{l}.ipynb", "anon_{n}_{m}_{l}.ipynb", "{p}_{n}_text.html"),
    *("{p}_{n}_assignsubmission_file_/{l}.ipynb", "{p}_{n}_assignsubmission_onlinetext.html"),
    *("submission_{n}/{l}.ipynb", "submission_{n}/submission_metadata.yml", "submission_metadata.yml"),
    *("hw_{p}_attempt_2026-11-20-10-11-12_{l}.ipynb", "hw_{p}_attempt_2026-11-20-10-11-12.txt"),
    *("{n}-{m} - {p} - Nov 20, 2026 1011 AM - {l}.ipynb", "section 1/{p}/{l}.ipynb"),
    *("late/{p}.ipynb", "2026-11-20/{p}/{l}.ipynb"),
    *("{p}/.ipynb_checkpoints/{l}-checkpoint.ipynb", "__MACOSX/{p}/._{l}.ipynb", "{p}/.{l}.ipynb", "{p}/~${l}.docx"),
    *("{p}/{l}.zip", "{p}.zip", "{p}/{l}.pdf", "{p}/{l}.ipynb.txt", "{p}/helpers.py"),
    *("grades/intake.json", "grades/run.json"),
    *("../{p}.ipynb", "/{p}/{l}.ipynb", "C:\\{p}\\{l}.ipynb", "{p}/../../{l}.ipynb"),
    *("{p}//{l}.ipynb", "{p}/", "", ".", "\\"),
    *("\u202e{p}.ipynb", "{p}\n{l}.ipynb", "\x1b[31m{p}.ipynb", "\ud800{p}.ipynb", "{p}\0.ipynb", "a" * 70_000 + "{p}"),
)  # fmt: skip
WRAPPERS = ("", "", "", "class/", "a/b/c/", "export 1/", "../../", "lab4_tsm/")
NOTEBOOK = json.dumps(
    {"cells": [{"cell_type": "code", "source": "def clip_logits(b, v):\n    return v", "metadata": {}}]}
).encode()
METADATA = (
    b"submission_1:\n  :submitters:\n  - :name: Jane\n    :sid: '7'\n  :created_at: 2026-11-20 10:11:12 Z\n"
)
CONTENTS = (NOTEBOOK, NOTEBOOK, NOTEBOOK, NOTEBOOK[:40], b"", b"%PDF-1.7", METADATA, b"{}", bytes(range(256)))


def member(draw: random.Random) -> str:
    """One name, as an LMS, a student or an enemy gives it."""
    form = draw.choice(WRAPPERS) + draw.choice(FORMS)
    named = {
        "p": draw.choice(PEOPLE),
        "l": draw.choice(LABS),
        "n": draw.randint(0, 3),
        "m": draw.randint(0, 99_999),
    }
    name = form.format(**named)
    if draw.random() < 0.1 and name:
        at = draw.randrange(len(name))
        name = name[:at] + draw.choice("/\\._ -\u200d\ufeff\x7f") + name[at + draw.randint(0, 2) :]
    return name


def zipped(draw: random.Random, depth: int = 0) -> bytes:
    """A zip of such members, some of them zips."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", draw.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))) as archive:
        for _ in range(draw.choice((0, 1, 2, 3, 5, 9))):
            name = member(draw).encode("utf-8", "replace").decode()[:65_000]
            data = zipped(draw, depth + 1) if name.endswith(".zip") and depth < 4 else draw.choice(CONTENTS)
            info = zipfile.ZipInfo(
                name, (draw.choice((1980, 2026, 2107)), draw.randint(1, 12), draw.randint(1, 28), 0, 0, 0)
            )
            if draw.random() < 0.05:
                info.external_attr = 0o120777 << 16
            archive.writestr(info, data)
    return out.getvalue()


def damaged(data: bytes, draw: random.Random) -> bytes:
    """The bytes with some changed, cut out or doubled; the table of contents as often as all the rest."""
    content = bytearray(data)
    for _ in range(draw.randint(1, 5)):
        if not content:
            break
        table = max(0, content.rfind(b"PK\1\2") - draw.randint(0, 200))
        at = draw.randrange(table if draw.random() < 0.5 and table < len(content) else 0, len(content))
        kind = draw.randrange(4)
        if kind == 0:
            content[at] = draw.choice((0, 1, 0x7F, 0x80, 0xFF, draw.randrange(256)))
        elif kind == 1:
            del content[at : at + draw.randint(1, 40)]
        elif kind == 2:
            content[at:at] = content[at : at + draw.randint(1, 80)]
        else:
            content[at : at + 4] = draw.choice((0, 1, 0xFFFF, 0xFFFFFFFF, 0x7FFFFFFF)).to_bytes(4, "little")
    return bytes(content)


def round_of(draw: random.Random, folder: Path) -> str:
    """One export, taken in below `folder`, which must be empty; what became of it. `AssertionError` if a rule broke."""
    source, grades = folder / "e.zip", folder / "g"
    data = zipped(draw)
    source.write_bytes(damaged(data, draw) if draw.random() < 0.4 else data)
    student = draw.choice(PEOPLE) if draw.random() < 0.15 else None
    try:
        taken = take_in(source, grades, LAB, student)
    except ArchiveError as error:
        outcome = "refused" if printable(str(error)) == str(error) else "broke"
    else:
        outcome = "taken"
        taken.save(grades)
        assert Intake.load(grades).students == taken.students
        assert len({one.id.casefold() for one in taken.incoming}) == len(taken.incoming) >= 1
        assert student is None or len(taken.incoming) == 1
        for one in taken.incoming:
            assert one.path == grades / "submissions" / f"{one.id}.ipynb" and one.path.is_file()
            assert record_id(one.id) == one.id and printable(one.student) == one.student
            assert all(printable(note) == note for note in one.notes), one.notes
        assert all(printable(note) == note for note in taken.notes), taken.notes
    written = {path.relative_to(folder).parts[:2] for path in folder.rglob("*")}
    allowed = {("e.zip",), ("g",), ("g", "submissions"), ("g", "intake.json")}
    assert written <= allowed, written - allowed
    return outcome


@contextmanager
def one_reader() -> Iterator[None]:
    """One process for all rounds: each would start its own, which takes longer than the rest."""
    with Reader(LAB) as reader:

        class Kept:
            def __init__(self, lab: object) -> None: ...

            def __enter__(self) -> Reader:
                return reader

            def __exit__(self, *error: object) -> None: ...

        before, module.Reader = module.Reader, Kept  # type: ignore[assignment, misc]
        try:
            yield
        finally:
            module.Reader = before  # type: ignore[misc]


def main(seconds: float, seed: int) -> int:
    """Make, damage and take in until the time of the processor is over; 1 if anything broke the rule."""
    warnings.filterwarnings("ignore", "Duplicate name")
    ends = time.process_time() + seconds
    counts = {"taken": 0, "refused": 0, "broke": 0}
    rounds = 0
    with tempfile.TemporaryDirectory(prefix="fuzz-zips-") as name, one_reader():
        while time.process_time() < ends:
            rounds += 1
            folder = Path(name, "round")
            folder.mkdir()
            try:
                counts[round_of(random.Random(f"{seed} {rounds}"), folder)] += 1
            except Exception as error:
                counts["broke"] += 1
                print(f"round {seed} {rounds}: {type(error).__name__}: {str(error)[:500]}", flush=True)
            shutil.rmtree(folder)
    shown = ", ".join(f"{count:,} {what}" for what, count in counts.items())
    print(f"{rounds:,} rounds from seed {seed}: {shown}")
    return 1 if counts["broke"] else 0


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0))
