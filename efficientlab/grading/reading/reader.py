"""Read students' files in a process that may die: `Reader`.

Parsers were written for people who mean well. A notebook of a hundred kilobytes can keep Python's compiler busy for
hours, or make it take all of the memory. So whatever is made of a student's bytes is made over there, within limits of
time and memory, and costs that student alone.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from efficientlab.environment import ROOT
from efficientlab.exercises.lab import Lab
from efficientlab.grading.reading.outline import Outline
from efficientlab.grading.reading.submission import Submission, SubmissionError
from efficientlab.grading.sandbox.channel import PipeChannel

SECONDS = 20.0  # for one file
START_SECONDS = 60.0
MAX_ANSWER = 200_000_000  # bytes of one answer: pictures are in it


@dataclass(frozen=True)
class Glance:
    """What a notebook is at first sight: whose lab, and how many of this lab's exercises it defines and answers."""

    lab: int | None
    defined: int
    answered: int


class Reader:
    """Reads files of one lab, one by one. The process starts with the first, and anew after one that ended it."""

    def __init__(self, lab: Lab, seconds: float = SECONDS) -> None:
        self.outline = Outline.of(lab)
        self.seconds = seconds
        self._channel: PipeChannel | None = None

    def __enter__(self) -> Reader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the process."""
        if self._channel:
            self._channel.close()
            self._channel = None

    def submission(self, path: Path) -> Submission:
        """The submission at `path`; `SubmissionError` says in one sentence why it is none."""
        return Submission.from_json(self._ask(path, "submission"))

    def glance(self, path: Path) -> Glance:
        """What the notebook at `path` is at first sight; `SubmissionError` where it is none."""
        return Glance(**self._ask(path, "glance"))

    def people(self, entry: str) -> dict[str, Any] | None:
        """The people of an entry of Gradescope's metadata; None where it cannot be read."""
        try:
            return self._ask(None, "people", entry=entry)
        except SubmissionError:
            return None

    def _ask(self, path: Path | None, what: str, **more: str) -> dict[str, Any]:
        question = {"what": what, "path": str(path), **more}
        channel = self._channel or self._start()
        deadline = time.monotonic() + self.seconds
        try:
            channel.send(json.dumps(question).encode() + b"\n", deadline)
            size = int.from_bytes(channel.read(8, deadline), "little")
            if size > MAX_ANSWER:
                raise EOFError
            answer = json.loads(channel.read(size, deadline))
        except TimeoutError:
            self.close()
            raise SubmissionError(f"{path}: it takes more than {self.seconds:.0f} s to read.") from None
        except (OSError, EOFError, ValueError):
            self.close()
            raise SubmissionError(f"{path}: reading it ended the process that did.") from None
        if "error" in answer:
            error = str(answer["error"])
            raise SubmissionError(error if error.startswith(f"{path}: ") else f"{path}: {error}.")
        return answer[what]

    def _start(self) -> PipeChannel:
        variables = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *_paths()])}
        process = subprocess.Popen(
            [sys.executable, "-m", "efficientlab.grading.reading.process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=variables,
            start_new_session=True,  # a Ctrl-C is the grader's to handle
        )
        channel = PipeChannel(process)
        channel.send(json.dumps(self.outline.to_json()).encode() + b"\n", time.monotonic() + START_SECONDS)
        self._channel = channel
        return channel


def _paths() -> list[str]:
    return [path for path in (os.environ.get("PYTHONPATH"),) if path]
