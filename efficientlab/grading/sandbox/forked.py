"""Boxes from the fork server: namespaces around each, or Landlock where those are denied."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from typing import Literal

from efficientlab.grading.sandbox.cgroups import make_group
from efficientlab.grading.sandbox.channel import Channel, SocketChannel, remaining
from efficientlab.grading.sandbox.contract import SandboxError, Setup
from efficientlab.grading.sandbox.memory import descendants, private_bytes
from efficientlab.grading.sandbox.variables import environment

Mode = Literal["namespaces", "landlock"]
START_SECONDS = 120.0  # the server imports torch
OPEN_SECONDS = 30.0

_NAMESPACES = (
    "Each student's answers ran without root in fresh user, process, mount, network and IPC namespaces behind a system "
    "call filter: no network, no other process, nothing of the disk but Python and this package, {memory}."
)
_LANDLOCK = (
    "Each student's answers ran behind Landlock and a system call filter, without namespaces, which is weaker: no "
    "network and no files but Python and this package, though the names and sizes of others could be probed, {memory}."
)
_COUNTED = "and memory and processes limited for all of a box together, by its control group"
_WATCHED = "and memory limited process by process, that of all together watched five times a second"


class ForkedSandbox:
    """Forks a box in milliseconds from a server that has torch and the lab in memory."""

    fresh_per_exercise = True

    def __init__(self, mode: Mode, setup: Setup) -> None:
        self.name: str = mode
        self._setup = setup
        self._group = make_group(setup.limits)
        memory = _COUNTED if self._group else _WATCHED
        self.guarantee = (_NAMESPACES if mode == "namespaces" else _LANDLOCK).format(memory=memory)
        self._server: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None

    def open(self) -> Channel:
        """A new box, confined and ready for its first message; `SandboxError` if there can be none."""
        try:
            return self._open()
        except (OSError, EOFError):
            self._stop()  # its server broke, perhaps for want of memory, and gets a successor
        try:
            return self._open()
        except (OSError, EOFError) as error:
            self._stop()
            raise SandboxError(self._no_box(error)) from None

    def close(self) -> None:
        """End the server and every box."""
        self._stop()
        if self._group:
            self._group.close()

    def _open(self) -> Channel:
        control = self._control or self._start()
        deadline = time.monotonic() + OPEN_SECONDS
        control.settimeout(OPEN_SECONDS)
        ours, theirs = socket.socketpair()
        with theirs:
            socket.send_fds(control, [b"open"], [theirs.fileno()])
        guard = int(_answer(control))
        if self._group:
            self._group.add(guard)
        ours.settimeout(remaining(deadline))
        ours.sendall(b"g")
        message, descriptors, _, _ = socket.recv_fds(ours, 1, 1)
        if message != b"k":
            refusal = ours.recv(2000).decode(errors="replace") if message else ""
            ours.close()
            self._reap(guard)
            raise SandboxError(self._no_box(refusal)) if refusal else OSError("its guard died")
        return SocketChannel(
            ours, lambda: self._end(guard, descriptors[0]), lambda: self._within_memory(guard)
        )

    def _no_box(self, why: object) -> str:
        return f"the {self.name} sandbox could not start a box: {why}"

    def _within_memory(self, guard: int) -> bool:
        """Whether the processes of a box together keep the limits; a control group sees to that by itself."""
        limits = self._setup.limits
        if self._group is not None:
            return True
        few = sum(1 for _ in descendants(guard)) <= limits.processes + 1
        return few and private_bytes(guard) < limits.memory + limits.scratch

    def _end(self, guard: int, box: int) -> float:
        """Kill a box: in namespaces all that it started dies with it, elsewhere the guard sees to that."""
        try:
            signal.pidfd_send_signal(box, signal.SIGKILL)
        except ProcessLookupError:
            pass  # it has ended by itself
        finally:
            os.close(box)
        try:
            return self._reap(guard)
        except (OSError, EOFError):
            self._stop()
            return 0.0

    def _reap(self, guard: int) -> float:
        assert self._control is not None
        self._control.send(f"reap {guard}".encode())
        return float(_answer(self._control))

    def _start(self) -> socket.socket:
        control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._server = subprocess.Popen(
                [sys.executable, "-m", "efficientlab.grading.sandbox.server", str(theirs.fileno())],
                env=environment(),
                cwd="/",
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # a Ctrl-C is the grader's to handle
            )
        self._control = control
        control.settimeout(START_SECONDS)
        control.send(self._setup.to_json(self.name))
        answer = _answer(control)
        if answer != "ready":
            raise SandboxError(self._no_box(answer))
        return control

    def _stop(self) -> None:
        if self._control:
            self._control.close()  # the server kills its boxes and ends
            self._control = None
        if self._server:
            try:
                self._server.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self._server.kill()
                self._server.wait()
            self._server = None


def _answer(control: socket.socket) -> str:
    data = control.recv(4096)
    if not data:
        raise EOFError("the fork server died")
    return data.decode(errors="replace")
