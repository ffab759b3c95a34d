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

from efficientlab.environment import python_path
from efficientlab.exercises.lab import Lab
from efficientlab.grading.reading.outline import Outline
from efficientlab.grading.reading.submission import Submission, SubmissionError
from efficientlab.grading.sandbox.channel import PipeChannel
from efficientlab.grading.sandbox.contract import SandboxError

SECONDS = 20.0  # for one file, of a process that gets at least half of them
PATIENCE = 10  # times as long, where the machine gives it less
START_SECONDS = 300.0
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
        deadline = time.monotonic() + PATIENCE * self.seconds
        try:
            channel.send(json.dumps(question).encode() + b"\n", deadline)
            answer = self._answer(channel, deadline)
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

    def _answer(self, channel: PipeChannel, deadline: float) -> dict[str, Any]:
        """The next message. Time counts where the process had it: on a busy machine a file is not called endless."""
        began = _cpu_seconds(channel.process.pid)
        while True:
            try:
                head = channel.read(8, min(deadline, time.monotonic() + self.seconds))
                break
            except TimeoutError:
                used = _cpu_seconds(channel.process.pid) - began
                if used > self.seconds / 2 or time.monotonic() > deadline:
                    raise
        size = int.from_bytes(head, "little")
        if size > MAX_ANSWER:
            raise EOFError
        answer: dict[str, Any] = json.loads(channel.read(size, deadline))
        return answer

    def _start(self) -> PipeChannel:
        process = subprocess.Popen(
            [sys.executable, "-m", "efficientlab.grading.reading.process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": python_path()},
            start_new_session=True,  # a Ctrl-C is the grader's to handle
        )
        channel = PipeChannel(process)
        deadline = time.monotonic() + START_SECONDS
        try:
            channel.send(json.dumps(self.outline.to_json()).encode() + b"\n", deadline)
            channel.read(int.from_bytes(channel.read(8, deadline), "little"), deadline)
        except (OSError, EOFError) as error:  # no student's file was there yet
            channel.close()
            raise SandboxError(f"the process that reads files could not start: {error!r}") from None
        self._channel = channel
        return channel


def _cpu_seconds(process: int) -> float:
    """What a process has had of the processors; infinity where the system does not say."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError):
        return float("inf")
