"""The grader's end of a box: start it, send it cases, and kill it when it takes too long."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from types import TracebackType

import torch

from efficientlab.environment import ROOT
from efficientlab.exercises.contract import AnswerError, Student, Values
from efficientlab.exercises.lab import Lab
from efficientlab.grading.submission import Submission
from efficientlab.grading.wire import receive, send

START_SECONDS = 120.0  # a box imports torch before it is ready


class Box:
    """A child process with one submission in it. A box that dies or stalls is replaced at the next case."""

    def __init__(
        self, lab: Lab, prelude: Sequence[str], submission: Submission, seconds: float = 20.0
    ) -> None:
        self.lab = lab
        self.prelude = list(prelude)
        self.submission = submission
        self.seconds = seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._folder = tempfile.TemporaryDirectory(prefix="efficientlab-box-")

    def __enter__(self) -> Box:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._stop()
        self._folder.cleanup()

    def student(self, exercise_id: str) -> Student:
        """A callable that runs the submission's answer in the box, case by case."""

        def student(inputs: Values) -> Values:
            return self._call(exercise_id, inputs)

        return student

    def _call(self, exercise_id: str, inputs: Values) -> Values:
        strides = {
            k: list(v.stride())
            for k, v in inputs.items()
            if isinstance(v, torch.Tensor) and not v.is_contiguous()
        }
        try:
            process = self._process or self._start()
            assert process.stdin is not None
            deadline = time.monotonic() + self.seconds
            send(process.stdin, {"exercise": exercise_id, "strides": strides}, inputs)
            header, values = receive(lambda size: self._read(process, size, deadline))
        except TimeoutError:
            self._stop()
            raise AnswerError("Timeout", f"no answer within {self.seconds:.0f} s on one case") from None
        except (OSError, EOFError):
            self._stop()
            raise AnswerError("Crash", "the process that ran it ended") from None
        except ValueError as error:
            self._stop()
            raise AnswerError("BadReply", str(error)) from None
        if header.get("ok") is True:
            return values
        raise AnswerError(*(str(header.get(key, ""))[:2000] for key in ("kind", "text", "trace")))

    def _start(self) -> subprocess.Popen[bytes]:
        environment = {
            **os.environ,
            "EFFICIENTLAB_PROFILE": "ci",
            "TRITON_INTERPRET": "0" if torch.cuda.is_available() else "1",
            "MPLBACKEND": "agg",
            "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])),
            "TMPDIR": self._folder.name,
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "efficientlab.grading.box"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            cwd=self._folder.name,
        )
        process = self._process
        assert process.stdin is not None
        cells = [[cell.number, cell.source, list(cell.exercises)] for cell in self.submission.cells]
        send(process.stdin, {"lab": self.lab.number, "prelude": self.prelude, "cells": cells})
        deadline = time.monotonic() + START_SECONDS
        receive(lambda size: self._read(process, size, deadline))  # it is ready: the clock of a case may run
        return process

    def _read(self, process: subprocess.Popen[bytes], size: int, deadline: float) -> bytes:
        assert process.stdout is not None
        data = bytearray()
        while len(data) < size:
            ready, _, _ = select.select([process.stdout], [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                raise TimeoutError
            part = os.read(process.stdout.fileno(), min(size - len(data), 1 << 20))
            if not part:
                raise EOFError
            data += part
        return bytes(data)

    def _stop(self) -> None:
        if self._process is None:
            return
        self._process.kill()
        self._process.communicate()
        self._process = None
