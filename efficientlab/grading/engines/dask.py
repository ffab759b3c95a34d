"""An existing Dask cluster: each thread of a worker keeps a supervisor with a fork server of its own.

A worker only supervises, so a student's code cannot end it. Where one dies all the same, Dask gives its submissions
to another; one with which several died is recorded as a fault. Notebooks travel with the tasks: the workers need
efficientlab, and its solutions, but not the folder of submissions.
"""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from efficientlab.grading.grader import Grader, Plan, broken_record
from efficientlab.grading.record import Incoming, Record

if TYPE_CHECKING:
    from distributed import Future

AHEAD = 3  # submissions in flight for each thread of the cluster
_mine = threading.local()


class DaskEngine:
    """Grades on the cluster whose scheduler is at `address`, such as `tcp://10.0.0.1:8786`."""

    def __init__(self, address: str) -> None:
        self.address = address

    def run(self, plan: Plan, batch: Sequence[Incoming], out: Path) -> Iterator[Record]:
        """Yield records as they are done; the sandbox's errors are raised as they came up on a worker."""
        from distributed import Client, KilledWorker, as_completed

        with Client(self.address, set_as_default=False) as client:
            waiting = iter(batch)
            sent: dict[str, Incoming] = {}

            def submit(one: Incoming) -> Future:
                content = one.path.read_bytes()
                future = client.submit(grade_here, plan, one, content, pure=False)
                sent[future.key] = one
                return future

            ahead = AHEAD * max(1, sum(client.nthreads().values()))
            first = [submit(one) for one in islice(waiting, ahead)]
            arriving = as_completed(first, loop=client.loop)
            for future in arriving:
                one = sent.pop(future.key)
                try:
                    yield future.result()
                except KilledWorker:
                    yield broken_record(one, plan, "several workers died with this submission")
                future.release()
                for following in islice(waiting, 1):
                    arriving.add(submit(following))


def grade_here(plan: Plan, incoming: Incoming, notebook: bytes) -> Record:
    """Grade on this worker's thread, with the supervisor that it keeps."""
    if getattr(_mine, "plan", None) != plan:
        if getattr(_mine, "grader", None):
            _mine.grader.close()
        _mine.grader, _mine.plan = Grader(plan), plan
    with tempfile.TemporaryDirectory(prefix="efficientlab-in-") as folder:
        path = Path(folder, incoming.path.name)
        path.write_bytes(notebook)
        return _mine.grader.grade(replace(incoming, path=path))
