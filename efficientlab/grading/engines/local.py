"""This machine's cores: one supervisor process each, all killable, all replaceable.

`python -m efficientlab.grading.engines.local` is such a supervisor; it takes submissions on standard input and gives
records on standard output.
"""

from __future__ import annotations

import contextlib
import math
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from efficientlab.environment import cores, python_path
from efficientlab.grading.engines.messages import (
    incoming_from_json,
    incoming_to_json,
    plan_from_json,
    plan_to_json,
)
from efficientlab.grading.grader import Grader, Plan, broken_record
from efficientlab.grading.record import Incoming, Record
from efficientlab.grading.running.wire import pack, receive
from efficientlab.grading.sandbox.channel import PipeChannel
from efficientlab.grading.sandbox.contract import SandboxError

MAX_MESSAGE = 100_000_000
START_SECONDS = 300.0
END_SECONDS = 10.0  # to end its sandbox
ATTEMPTS = 2
SHARE = 4  # submissions that a supervisor must have before another is started: a start takes as long as grading them


class LocalEngine:
    """Runs up to `workers` supervisors (by default one a core) and starts a new one for each that dies.

    A submission with which a supervisor died or hung is tried once more, then recorded as a fault.
    """

    def __init__(self, workers: int | None = None) -> None:
        self.workers = workers or cores()

    def run(self, plan: Plan, batch: Sequence[Incoming], out: Path) -> Iterator[Record]:
        """Yield records as they are done; `SandboxError` where supervisors cannot open their sandbox."""
        pool = _Pool(plan, batch)
        supervisors = min(self.workers, math.ceil(len(batch) / SHARE))
        threads = [threading.Thread(target=pool.tend, daemon=True) for _ in range(supervisors)]
        for thread in threads:
            thread.start()
        try:
            for _ in batch:
                result = pool.done.get()
                if isinstance(result, BaseException):
                    raise result
                yield result
        except BaseException:
            pool.end()  # the caller has had enough, or there is no sandbox
            raise
        finally:
            for thread in threads:
                thread.join()


class _Pool:
    """What the threads share: each starts one supervisor and feeds it until nothing waits."""

    def __init__(self, plan: Plan, batch: Sequence[Incoming]) -> None:
        self.plan = plan
        self.done: queue.SimpleQueue[Record | BaseException] = queue.SimpleQueue()
        self._waiting: queue.SimpleQueue[Incoming] = queue.SimpleQueue()
        for one in batch:
            self._waiting.put(one)
        self._live: set[PipeChannel] = set()
        self._ended = False

    def end(self) -> None:
        """Kill the supervisors; whoever waits for one sees it die."""
        self._ended = True
        for supervisor in list(self._live):
            supervisor.close()

    def tend(self) -> None:
        """The life of one thread."""
        supervisor: PipeChannel | None = None
        try:
            while not self._ended:
                try:
                    one = self._waiting.get_nowait()
                except queue.Empty:
                    break
                fault = ""
                for _ in range(ATTEMPTS):
                    try:
                        supervisor = supervisor or self._start()
                        self.done.put(self._grade(supervisor, one))
                        break
                    except (OSError, EOFError, ValueError) as error:
                        fault = f"the grader's process died with this submission: {error!r}"
                        if supervisor:
                            supervisor.close()
                        self._drop(supervisor)
                        supervisor = None
                    if self._ended:
                        break
                else:
                    self.done.put(broken_record(one, self.plan, fault))
        except BaseException as error:
            self.done.put(error)
        finally:
            self._drop(supervisor)

    def _start(self) -> PipeChannel:
        """A supervisor that can grade. One that dies at its start, for want of memory as well, gets a successor."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                supervisor = start_supervisor(self.plan)
                break
            except (OSError, EOFError, ValueError) as error:
                if attempt == ATTEMPTS or self._ended:
                    raise SandboxError(f"{attempt} supervisors died at their start: {error!r}") from None
        self._live.add(supervisor)
        return supervisor

    def _drop(self, supervisor: PipeChannel | None) -> None:
        if supervisor:
            supervisor.finish(0.0 if self._ended else END_SECONDS)
            self._live.discard(supervisor)

    def _grade(self, supervisor: PipeChannel, one: Incoming) -> Record:
        patience = 2 * self.plan.limits.submission + START_SECONDS
        answer = _ask(supervisor, {"incoming": incoming_to_json(one)}, patience)
        return Record.from_json(answer["record"])


def start_supervisor(plan: Plan) -> PipeChannel:
    """A supervisor's process, once its sandbox is open.

    `SandboxError` says why there is no sandbox; `OSError`, `EOFError` or `ValueError` that the process died or hung.
    """
    variables = {
        **os.environ,
        **dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"),
        "PYTHONPATH": python_path(),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", __name__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=variables,
        start_new_session=True,  # a Ctrl-C is ours to handle, and boxes of its session end with it
    )

    def end() -> None:
        if hasattr(os, "killpg"):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)

    supervisor = PipeChannel(process, end)
    try:
        answer = _ask(supervisor, {"plan": plan_to_json(plan)}, START_SECONDS)
    except (OSError, EOFError, ValueError):
        supervisor.close()
        raise
    if "error" in answer:
        supervisor.close()
        raise SandboxError(answer["error"])
    return supervisor


def _ask(supervisor: PipeChannel, question: dict[str, Any], seconds: float) -> dict[str, Any]:
    deadline = time.monotonic() + seconds
    supervisor.send(pack(question), deadline)
    answer, _ = receive(lambda size: supervisor.read(size, deadline), header_limit=MAX_MESSAGE)
    return answer


def main() -> None:
    """A supervisor's own process."""
    answers = os.fdopen(os.dup(1), "wb")
    questions = sys.stdin.buffer
    os.dup2(2, 1)  # what a library prints must not mix with the answers

    def read(size: int) -> bytearray:
        data = bytearray(questions.read(size))
        if len(data) < size:
            raise EOFError
        return data

    def answer(header: dict[str, Any]) -> None:
        try:
            answers.write(pack(header))
            answers.flush()
        except BrokenPipeError:  # whoever ran this is gone: nobody reads what waits to be written
            os.dup2(os.open(os.devnull, os.O_WRONLY), answers.fileno())
            sys.exit()

    plan = plan_from_json(receive(read, header_limit=MAX_MESSAGE)[0]["plan"])
    try:
        grader = Grader(plan)
    except Exception as error:
        answer({"error": str(error) or repr(error)})
        return
    with grader:
        answer({"ready": True})
        while True:
            try:
                question, _ = receive(read, header_limit=MAX_MESSAGE)
            except EOFError:
                return  # the batch is done, or whoever ran it is gone
            answer({"record": grader.grade(incoming_from_json(question["incoming"])).to_json()})


if __name__ == "__main__":
    main()
