"""A class of generated students: right, slipping, blank and broken submissions, of lab 4's two exercises by default.

`python tests/grading/classroom.py FOLDER OUT SEED [LAB]` grades such a folder, so that a test can kill it.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

from efficientlab.environment import ROOT
from efficientlab.exercises.lab import Lab
from efficientlab.exercises.labs import find_lab
from efficientlab.grading.batch import grade_batch
from efficientlab.grading.record import Incoming, Record
from efficientlab.grading.sandbox.limits import Limits
from efficientlab.grading.score import Reference

LAB = find_lab(4)
EXERCISES = ("4.1", "4.7")
LIMITS = Limits(case=5.0, exercise=8.0, submission=30.0, memory=600_000_000, processes=32)
if os.environ.get("EFFICIENTLAB_WHOLE"):
    LIMITS = Limits()

BROKEN_FILES = {
    "empty": b"",
    "no JSON": b"this is my submission",
    "truncated": b'{"cells": [{"cell_type": "code", "source": "def clip_logits(backbone, vid',
    "binary": bytes(range(256)) * 40,
    "no cells": b'{"metadata": {}, "nbformat": 4}',
    "deep": b"[" * 200_000,
    "long number": b'{"cells": ' + b"9" * 100_000 + b"}",
    "wrong types": b'{"cells": [1, null, {"cell_type": "code", "source": {"a": 1}}, {"cell_type": 7}]}',
}
BROKEN_CODE = {
    "syntax": "def clip_logits(backbone, video:\n    return",
    "exit": "import os\n\n\ndef clip_logits(backbone, video):\n    os._exit(3)",
    "loop": "def clip_logits(backbone, video):\n    while True:\n        pass",
    "memory": "def clip_logits(backbone, video):\n    return bytearray(1 << 36)",
    "kill": "import os\n\n\ndef clip_logits(backbone, video):\n    os.kill(-1, 9)\n    os.abort()",
    "type": "def clip_logits(backbone, video):\n    return {'logits': object()}",
    "recursion": "def clip_logits(backbone, video):\n    return clip_logits(backbone, video)",
    "nested": "clip_logits = " + "(" * 300 + "1" + ")" * 300,
}


@cache
def solutions(number: int = 4) -> dict[str, str]:
    """The solution's source, by exercise."""
    return {e: cell.source for cell in Reference(find_lab(number)).cells for e in cell.exercises}


def notebook(*sources: str) -> bytes:
    """A notebook of code cells, without any metadata."""
    cells = [{"cell_type": "code", "metadata": {}, "source": s, "outputs": []} for s in sources]
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()


def write_class(
    folder: Path,
    students: int,
    broken: float = 0.1,
    seed: int = 0,
    number_of_lab: int = 4,
    exercises: Sequence[str] = EXERCISES,
) -> list[Incoming]:
    """Write one notebook a student, a share of them broken in every way there is, and return the batch.

    Broken code stands in the place of the first of the exercises, beside a right answer to the second.
    """
    draw = random.Random(seed)
    mutants = ROOT / "tests" / "mutants" / f"lab{number_of_lab}"
    slips = {e: [p.read_text(encoding="utf-8") for p in sorted(mutants.glob(f"{e}_*.py"))] for e in exercises}
    right = solutions(number_of_lab)
    check = find_lab(number_of_lab)[exercises[0]].check
    assert check is not None
    folder.mkdir(parents=True, exist_ok=True)
    kinds = [*BROKEN_FILES, *BROKEN_CODE]
    batch = []
    for number in range(students):
        mark = f"# {number}\n"
        if number < students * broken:
            kind = kinds[number % len(kinds)]
            content = BROKEN_FILES.get(kind) or (
                notebook(mark + BROKEN_CODE[kind].replace("clip_logits", check.name), right[exercises[1]])
                if kind in BROKEN_CODE
                else b""
            )
        else:
            sources = []
            for exercise in exercises:
                fate = draw.random()
                if fate < 0.7:
                    sources.append(mark + right[exercise])
                elif fate < 0.9:
                    sources.append(draw.choice(slips[exercise]) + mark)
            content = notebook(*sources, mark)
        path = folder / f"student{number:03}.ipynb"
        path.write_bytes(content)
        batch.append(Incoming(path.stem, path.stem, path, hashlib.sha256(content).hexdigest()))
    draw.shuffle(batch)
    return batch


def read_class(folder: Path) -> list[Incoming]:
    """The batch that `write_class` wrote."""
    return [
        Incoming(path.stem, path.stem, path, hashlib.sha256(path.read_bytes()).hexdigest())
        for path in sorted(folder.glob("*.ipynb"))
    ]


def grade_class(
    batch: list[Incoming], out: Path, seed: int, lab: Lab = LAB, **options: object
) -> Iterator[Record]:
    """Grade the class with limits that fit its small exercises."""
    return grade_batch(batch, lab, out, seed=seed, limits=LIMITS, **options)  # type: ignore[arg-type]


def outcome(record: Record) -> tuple[object, ...]:
    """What must be the same, however often the grader was killed."""
    return (
        record.id,
        record.points,
        record.faults,
        tuple((e.id, e.status, e.earned) for e in record.exercises),
    )


if __name__ == "__main__":
    whose = find_lab(int(sys.argv[4])) if len(sys.argv) > 4 else LAB
    for _ in grade_class(read_class(Path(sys.argv[1])), Path(sys.argv[2]), int(sys.argv[3]), whose):
        pass
