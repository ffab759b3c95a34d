"""One cell of a notebook that a student handed in."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Cell:
    """One code cell of a submission. `exercises` are the ids that it answers; none for a cell of another kind."""

    number: int  # position in the notebook, from 1, as the student counts cells
    source: str
    exercises: tuple[str, ...] = ()
