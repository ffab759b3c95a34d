"""What a sandbox is, to the rest of the grader."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Protocol

from efficientlab.grading.sandbox.channel import Channel
from efficientlab.grading.sandbox.limits import Limits


class SandboxError(Exception):
    """A box could not be started or died before any code of the student's ran: the grader's fault, not theirs."""


@dataclass(frozen=True)
class Setup:
    """What every box of a lab has in it before it gets a student's code."""

    lab: int
    prelude: tuple[str, ...]
    imports: tuple[str, ...] = ()  # modules that answers are likely to import
    limits: Limits = field(default_factory=Limits)
    loaded: tuple[str, ...] = ()  # modules that are loaded while answers run, as torch loads some of its own

    def to_json(self, mode: str) -> bytes:
        """The first message of a fork server."""
        return json.dumps({"mode": mode, **asdict(self)}).encode()


class Sandbox(Protocol):
    """A source of boxes, one at a time."""

    name: str
    guarantee: str  # one sentence, for every record
    fresh_per_exercise: bool  # whether boxes are cheap enough to take a new one for each exercise

    def open(self) -> Channel: ...

    def close(self) -> None: ...
