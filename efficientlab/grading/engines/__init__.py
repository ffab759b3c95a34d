"""Where supervisors run: on this machine, on a Dask cluster, or as a Slurm job array.

An engine knows how to start a `Grader` elsewhere and what to do when it dies; it knows nothing of grading.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

from efficientlab.grading.grader import Plan
from efficientlab.grading.record import Incoming, Record


class Engine(Protocol):
    """Yields one record for each submission, in any order."""

    def run(self, plan: Plan, batch: Sequence[Incoming], out: Path) -> Iterator[Record]: ...
