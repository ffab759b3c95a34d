"""The line between the grader and one box: bytes with deadlines, over a socket or a process's pipes.

Both ends of a deadline are the grader's. A box that neither reads nor writes, or that drips a byte a second,
runs into the deadline; `close` then ends it with all that it started.
"""

from __future__ import annotations

import contextlib
import queue
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from typing import Protocol

CHUNK = 1 << 20
WATCH_SECONDS = 0.2


class Channel(Protocol):
    """One box. `TimeoutError` past a deadline, `EOFError` or `OSError` when the box is gone."""

    def send(self, data: bytes, deadline: float) -> None: ...

    def read(self, size: int, deadline: float) -> bytearray: ...

    def close(self) -> float:
        """End the box and everything in it; return the CPU seconds that it took."""
        ...


def remaining(deadline: float) -> float:
    """Seconds left until `deadline` (of `time.monotonic`); `TimeoutError` if there are none."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


class SocketChannel:
    """A box at the other end of a Unix socket; `end` kills it and tells its CPU seconds.

    `allowed` is asked several times a second while the grader waits; where it says no, the box counts as gone.
    """

    def __init__(
        self, line: socket.socket, end: Callable[[], float], allowed: Callable[[], bool] = lambda: True
    ) -> None:
        self.line = line
        self._end: Callable[[], float] | None = end
        self._allowed = allowed

    def send(self, data: bytes, deadline: float) -> None:
        self.line.settimeout(remaining(deadline))
        self.line.sendall(data)

    def read(self, size: int, deadline: float) -> bytearray:
        data = bytearray(size)
        view, at = memoryview(data), 0
        while at < size:
            self.line.settimeout(min(remaining(deadline), WATCH_SECONDS))
            try:
                count = self.line.recv_into(view[at:])
            except TimeoutError:
                if not self._allowed():
                    raise EOFError from None
                continue
            if count == 0:
                raise EOFError
            at += count
        return data

    def close(self) -> float:
        end, self._end = self._end, None
        self.line.close()
        return end() if end else 0.0


class PipeChannel:
    """A box that is a process of its own, spoken to through its pipes. Works on every system.

    Two threads do the blocking calls, because only Unix can wait for a pipe with a limit.
    """

    def __init__(self, process: subprocess.Popen[bytes], end: Callable[[], None] | None = None) -> None:
        self.process = process
        self._end = end
        self._parts: queue.Queue[bytes] = queue.Queue(maxsize=8)  # what a flood can take is bounded
        self._rest = memoryview(b"")
        self._closed = False
        threading.Thread(target=self._pump, daemon=True).start()

    def send(self, data: bytes, deadline: float) -> None:
        failures: list[OSError] = []

        def write() -> None:
            assert self.process.stdin is not None
            try:
                self.process.stdin.write(data)
                self.process.stdin.flush()
            except OSError as error:
                failures.append(error)

        writer = threading.Thread(target=write, daemon=True)
        writer.start()
        writer.join(remaining(deadline))
        if writer.is_alive():
            raise TimeoutError
        if failures:
            raise failures[0]

    def read(self, size: int, deadline: float) -> bytearray:
        data = bytearray()
        while len(data) < size:
            if not self._rest:
                try:
                    part = self._parts.get(timeout=remaining(deadline))
                except queue.Empty:
                    raise TimeoutError from None
                if not part:
                    self._parts.put(b"")  # the next read ends here, too
                    raise EOFError
                self._rest = memoryview(part)
            take = min(size - len(data), len(self._rest))
            data += self._rest[:take]
            self._rest = self._rest[take:]
        return data

    def close(self) -> float:
        if not self._closed:
            self._closed = True
            self.process.kill()
            while not self._parts.empty():  # the pump may wait for room
                with contextlib.suppress(queue.Empty):
                    self._parts.get_nowait()
            self.process.wait()
            with contextlib.suppress(queue.Full):
                self._parts.put_nowait(b"")  # for a thread that still reads
            for stream in (self.process.stdin, self.process.stdout):
                assert stream is not None
                with contextlib.suppress(OSError):
                    stream.close()
            if self._end:
                self._end()
        return 0.0

    def finish(self, seconds: float) -> None:
        """Let the process end by itself, as it does when nothing more can come; then `close`."""
        assert self.process.stdin is not None
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            self.process.stdin.close()
            self.process.wait(seconds)
        self.close()

    def _pump(self) -> None:
        assert self.process.stdout is not None
        try:
            while part := self.process.stdout.read1(CHUNK):  # type: ignore[attr-defined]
                if self._closed:
                    return
                self._parts.put(part)
        except (OSError, ValueError):
            pass  # the pipe was closed under us: that is its end
        self._parts.put(b"")
