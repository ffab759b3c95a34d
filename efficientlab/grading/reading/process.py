"""The process that reads students' files: `python -m efficientlab.grading.reading.process`, started by `reader`.

It takes a lab's outline and then one question after another on standard input, as JSON lines, and answers on
standard output. It runs nothing of what it reads, and may be ended by whatever it reads: its memory is bounded, and the
other side looks at the clock.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from efficientlab.grading.reading import gradescope
from efficientlab.grading.reading.glance import glance
from efficientlab.grading.reading.outline import Outline, handed_out
from efficientlab.grading.reading.submission import SubmissionError, read_submission

MEMORY = 2_000_000_000  # bytes of this process


def main() -> None:
    """Answer until the other side closes the line."""
    with suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    questions, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not mix with the answers
    lab = Outline.from_json(json.loads(questions.readline()))
    texts = handed_out(lab.slug)

    def say(message: Mapping[str, Any]) -> None:
        data = json.dumps(message).encode()
        answers.write(len(data).to_bytes(8, "little") + data)
        answers.flush()

    say({"ready": True})
    for line in questions:
        say(_answer(json.loads(line), lab, texts))


def _answer(question: Mapping[str, Any], lab: Outline, texts: frozenset[str]) -> dict[str, Any]:
    try:
        if question["what"] == "people":
            return {"people": gradescope.people(question["entry"])}
        path = Path(question["path"])
        if question["what"] == "glance":
            return {"glance": glance(path, lab)}
        return {"submission": read_submission(path, lab, texts).to_json()}
    except SubmissionError as error:
        return {"error": str(error)}
    except MemoryError:
        return {"error": "it takes too much memory to read"}
    except Exception as error:  # what nobody thought of costs the one who handed it in
        return {"error": f"it could not be read ({type(error).__name__})"}


if __name__ == "__main__":
    main()
