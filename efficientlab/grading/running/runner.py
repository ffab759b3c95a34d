"""The grader's end of a box: open it, send it cases, and close it when it takes too long."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from types import TracebackType
from typing import Any, Literal

import torch

from efficientlab.exercises import borrow
from efficientlab.exercises.contract import AnswerError, Student, Values
from efficientlab.exercises.lab import Lab
from efficientlab.grading.reading.cell import Cell
from efficientlab.grading.reading.statements import Reach
from efficientlab.grading.reading.submission import Submission
from efficientlab.grading.running.called import MAX_NAMES
from efficientlab.grading.running.wire import MAX_BYTES, pack, receive
from efficientlab.grading.sandbox import wait_until_ready
from efficientlab.grading.sandbox.channel import Channel
from efficientlab.grading.sandbox.contract import Sandbox, SandboxError, Setup
from efficientlab.grading.sandbox.limits import Limits
from efficientlab.grading.sandbox.processes import NoSandbox

_NAME = re.compile(r"efficientlab(?:\.[A-Za-z_][A-Za-z0-9_]{0,60}){1,8}")  # it goes into a page
Look = Literal["recorded", "fresh"]
"""The kind of a case on which it is noted what an answer calls of this package."""
TOGETHER_SECONDS = 2.0  # for one case in a box that all exercises share: what takes longer has one of its own
OWN_WORDS = ("Timeout", "Crash", "BadReply")  # kinds of failure that the grader finds, not the student's code


class Box:
    """One submission's code in a sandbox; without one given, in a plain process of this machine.

    Where boxes are cheap each exercise gets a new one, so that what one does to its process, to torch or to its
    scratch folder never reaches another; but while `shared` is true, one serves them all. A box that dies or stalls is
    replaced at the next exercise.
    `cpu_seconds` is what closed boxes took, where the sandbox counts it. `called` is what answers called of this
    package, by exercise and kind of case, where `student` was asked to look.
    """

    def __init__(
        self,
        lab: Lab,
        prelude: Sequence[str],
        submission: Submission,
        limits: Limits | None = None,
        sandbox: Sandbox | None = None,
    ) -> None:
        self.lab = lab
        self.limits = limits or Limits()
        self.sandbox = sandbox or NoSandbox(Setup(lab.number, tuple(prelude), limits=self.limits))
        self.submission = submission
        self.cpu_seconds = 0.0
        self.called: dict[tuple[str, Look], set[str]] = {}
        self._borrows = any("borrow" in cell.source for cell in submission.cells)
        self.shared = False
        self._channel: Channel | None = None
        self._reach: Reach = "needs"
        self._exercise = ""
        self._exercise_ends = 0.0
        self._ends = time.monotonic() + self.limits.submission

    def __enter__(self) -> Box:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the box that is open, if one is."""
        if self._channel:
            self.cpu_seconds += self._channel.close()
            self._channel = None

    @property
    def sees_all(self) -> bool:
        """Whether one box serves exercise after exercise, and so may keep in mind what it saw of one for the next."""
        return not self.sandbox.fresh_per_exercise

    @property
    def can_be_shared(self) -> bool:
        """Whether one box may serve all exercises where each could have its own; what borrows needs its own."""
        return self.sandbox.fresh_per_exercise and not self._borrows

    @contextmanager
    def for_all(self) -> Iterator[None]:
        """One box for all exercises, which has little patience. The time that it takes is not the student's."""
        self.close()
        start, ends = time.monotonic(), self._ends
        self.shared, self._ends = True, start + self.limits.exercise
        try:
            yield
        finally:
            self.close()
            self.shared, self._exercise = False, ""
            self._ends = ends + time.monotonic() - start

    def student(
        self,
        exercise_id: str,
        reply_limit: int = MAX_BYTES,
        reach: Reach = "needs",
        looks: Mapping[Look, Values] | None = None,
    ) -> Student:
        """A callable that runs the submission's answer in a box, case by case.

        `reply_limit` bounds the bytes of one case's outputs; `reach` says whether cells are run as well that only may
        change what the answer needs. On the cases in `looks`, one of each kind, it is noted in `called` what the answer
        calls of this package.
        `AnswerError` is the student's, `SandboxError` ours.
        """
        if reach != self._reach:
            self.close()
            self._reach = reach

        def student(inputs: Values) -> Values:
            look = next((kind for kind, case in (looks or {}).items() if case is inputs), None)
            try:
                header, values = self._call_again_after_a_crash(
                    exercise_id, inputs, reply_limit, look is not None
                )
            except TimeoutError as error:
                self.close()
                raise AnswerError("Timeout", str(error)) from None
            except (OSError, EOFError):
                self.close()
                raise AnswerError("Crash", "the process that ran it ended") from None
            except ValueError as error:
                self.close()
                raise AnswerError("BadReply", str(error)) from None
            if header.get("ok") is True:
                if look:  # only what was asked for: a box can put anything into any reply
                    self._note_calls(exercise_id, look, header.get("called"))
                return values
            kind, text, trace = (str(header.get(key, ""))[:2000] for key in ("kind", "text", "trace"))
            raise AnswerError(f"student's {kind}" if kind in OWN_WORDS else kind, text, trace)

        return student

    def _call_again_after_a_crash(
        self, exercise_id: str, inputs: Values, reply_limit: int, look: bool
    ) -> tuple[dict, Values]:
        """PyTorch itself may crash where threads are the first to use it: 1 in 2,000 right answers with four."""
        try:
            return self._call(exercise_id, inputs, reply_limit, look)
        except TimeoutError:
            raise
        except (OSError, EOFError):
            if self.shared:
                raise
            self.close()
            return self._call(exercise_id, inputs, reply_limit, look)

    def _call(self, exercise_id: str, inputs: Values, reply_limit: int, look: bool) -> tuple[dict, Values]:
        channel = self._open(exercise_id)
        now = time.monotonic()
        patience = min(self.limits.case, TOGETHER_SECONDS) if self.shared else self.limits.case
        deadline, words = min(
            (now + patience, f"no answer within {self.limits.case:.0f} s on one case"),
            (self._exercise_ends, f"no end within {self.limits.exercise:.0f} s for all cases"),
            (self._ends, f"the {self.limits.submission:.0f} s of the whole submission are used up"),
        )
        strides = {
            k: list(v.stride())
            for k, v in inputs.items()
            if isinstance(v, torch.Tensor) and not v.is_contiguous()
        }
        request = {"exercise": exercise_id, "strides": strides, "limit": reply_limit, "look": look}
        try:
            channel.send(pack(request, inputs), deadline)
            return receive(lambda size: channel.read(size, deadline), reply_limit)
        except TimeoutError:
            raise TimeoutError(words) from None

    def _note_calls(self, exercise_id: str, look: Look, called: Any) -> None:
        names = called if isinstance(called, list) else []
        known = {n for n in names[:MAX_NAMES] if isinstance(n, str) and _NAME.fullmatch(n)}
        self.called.setdefault((exercise_id, look), set()).update(known)

    def forget_calls(self, exercise_id: str) -> None:
        """Leave out what an answer called so far: it is run anew."""
        self.called = {key: names for key, names in self.called.items() if key[0] != exercise_id}

    def _open(self, exercise_id: str) -> Channel:
        needs_code = self.shared and exercise_id != self._exercise
        if self._channel and exercise_id != self._exercise and self._is_for_one:
            self.close()
        if self._channel is None:
            if time.monotonic() >= self._ends:
                raise TimeoutError(f"the {self.limits.submission:.0f} s of the whole submission are used up")
            self._channel, seconds = wait_until_ready(self.sandbox)
            self._ends += seconds  # a box's start is not the student's time
            needs_code = True
        if needs_code:
            try:
                self._channel.send(self._code(exercise_id), time.monotonic() + self.limits.case)
            except OSError as error:
                self.close()
                raise SandboxError(f"a box of the {self.sandbox.name} sandbox died: {error}") from None
        if exercise_id != self._exercise:
            self._exercise = exercise_id
            self._exercise_ends = time.monotonic() + self.limits.exercise
        return self._channel

    @property
    def _is_for_one(self) -> bool:
        """Whether the box that is open is for one exercise. A later one is, as it comes after fresh cases."""
        alone = self.sandbox.fresh_per_exercise or self._borrows or self._reach != "needs"
        return alone and not self.shared

    def _code(self, exercise_id: str) -> bytes:
        """The message with the code: all of it, or where each exercise has its box, what this one needs.

        With it come the answers that may be borrowed there, where any is: all but the one that is checked.
        """
        cells: Sequence[Cell] = self.submission.cells
        needs = self.submission.needs.get(exercise_id)
        picks = None
        if needs and (self.sandbox.fresh_per_exercise or self._reach != "needs"):
            cells = [cells[i] for i in needs.of(self._reach)]
            picks = needs.statements if self._reach == "needs" else None
        rows = [[cell.number, cell.source, list(cell.exercises)] for cell in cells]
        loans = (
            {e: text for e, text in _lent(self.lab.slug).items() if e != exercise_id} if self._borrows else {}
        )
        return pack({"cells": rows, "reach": self._reach, "picks": picks or None, "loans": loans})


@cache
def _lent(slug: str) -> Mapping[str, str]:
    """The answers that this copy lends; none where it lends none."""
    try:
        return borrow.unpack(slug)
    except borrow.Borrowed:
        return {}
