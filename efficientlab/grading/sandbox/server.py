"""The fork server: `python -m efficientlab.grading.sandbox.server FD`, started by `ForkedSandbox`.

It confines itself, imports torch and the lab once, runs the lab's prelude, and then forks a box for every
`open` that it hears on its control socket. No code of a student's ever runs in the server. A box is two processes:
the *guard*, which makes the namespaces, waits and cleans up, and the *box* itself.

    control:  {"mode": …, "lab": …, "prelude": […], "imports": […], "limits": {…}}   →  "ready"
              "open" with a socket's descriptor                                      →  the guard's process id
              "reap PID", once that box was killed                                   →  its CPU seconds
    box:      one byte, when the guard is in its control group                       →  "k" with the box's pidfd
              then messages as in `wire`, of which the box sends the first

When the control socket closes, all boxes die with the server.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import resource
import select
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from efficientlab.grading.sandbox import landlock, libc, namespaces, pages, seccomp, view
from efficientlab.grading.sandbox.limits import Limits, restrain
from efficientlab.grading.sandbox.memory import descendants
from efficientlab.grading.sandbox.scratch import held_bytes

MAX_SETUP = 1 << 22
WATCH_SECONDS = 0.2


def main() -> None:
    control = socket.socket(fileno=int(sys.argv[1]))
    libc.prctl(libc.PR_SET_CHILD_SUBREAPER, 1)
    try:
        setup = json.loads(control.recv(MAX_SETUP))
        serve = _prepare(setup)
    except BaseException as error:
        control.send(f"{type(error).__name__}: {error}".encode()[:2000])
        raise
    control.send(b"ready")
    _listen(control, setup["mode"], Limits(**setup["limits"]), serve)


def _prepare(setup: dict[str, Any]) -> Callable[[socket.socket], None]:
    """Confine this process, load everything that boxes share, and return what a box does with its socket."""
    if setup["mode"] == "namespaces":
        namespaces.enter_server()
        # some modules ask for it at import; nobody can write there before a box can
        tempfile.tempdir = view.SCRATCH
    elif os.geteuid() == 0 and not _readable_to_boxes(os.__file__):
        raise PermissionError(f"nobody can read {os.__file__}: grade as an ordinary user, or move Python")
    # torch._dynamo makes this folder when it is imported: it has to be one that is there
    os.environ["TORCHINDUCTOR_CACHE_DIR"] = tempfile.gettempdir()
    import torch

    from efficientlab.exercises.labs import find_lab
    from efficientlab.grading.running.box import converse
    from efficientlab.grading.running.workspace import Workspace

    torch.set_num_threads(1)
    workspace = Workspace(find_lab(setup["lab"]), setup["prelude"], [])
    for name in setup["imports"]:
        with contextlib.suppress(ImportError):  # what is not installed, an answer that needs it will say
            __import__(name)
    # once here, and not in every box: the first gradient alone loads symbolic algebra, a fifth of a second
    x = torch.ones(1, requires_grad=True)
    torch.autograd.grad(x, x, torch.ones(1))
    for name in setup["loaded"]:
        with contextlib.suppress(Exception):
            __import__(name)
    threads = len(os.listdir("/proc/self/task"))  # noqa: PTH208
    if threads > 1:
        raise RuntimeError(
            f"{threads} threads run after loading the lab; only a single one can be forked safely"
        )
    if setup["mode"] == "namespaces":
        seccomp.program_of(namespaces=True)
    gc.collect()
    gc.freeze()  # what the boxes share stays untouched, and so shared
    pages.enlarge()
    return lambda line: converse(workspace, line)


def _readable_to_boxes(path: str) -> bool:
    process = os.fork()
    if process == 0:
        namespaces.give_up_root()
        os._exit(0 if os.access(path, os.R_OK) else 1)
    return os.waitpid(process, 0)[1] == 0


def _listen(
    control: socket.socket, mode: str, limits: Limits, serve: Callable[[socket.socket], None]
) -> None:
    guards: set[int] = set()
    while True:
        message, descriptors, _, _ = socket.recv_fds(control, 100, 1)
        if not message:
            break
        if message == b"open":
            line = socket.socket(fileno=descriptors[0])
            guard = os.fork()
            if guard == 0:
                control.close()
                _guard(line, mode, limits, serve)
            line.close()
            guards.add(guard)
            control.send(str(guard).encode())
        else:
            guard = int(message.split()[1])
            _, _, usage = os.wait4(guard, 0)
            guards.discard(guard)
            control.send(str(usage.ru_utime + usage.ru_stime).encode())
    for guard in guards:
        os.kill(guard, signal.SIGKILL)  # its box dies with it


def _guard(line: socket.socket, mode: str, limits: Limits, serve: Callable[[socket.socket], None]) -> None:
    """Fork the box, tell the grader how to kill it, wait for its end, clean up after it. Never returns."""
    status = 1
    scratch = None
    try:
        libc.prctl(libc.PR_SET_PDEATHSIG, signal.SIGKILL)
        libc.prctl(libc.PR_SET_CHILD_SUBREAPER, 1)
        if not line.recv(1):
            os._exit(0)
        user = namespaces.own_user()
        if mode == "namespaces":
            namespaces.leave_parents()
        else:
            if os.geteuid() == 0:
                namespaces.give_up_root(user)
                libc.prctl(libc.PR_SET_PDEATHSIG, signal.SIGKILL)  # which the change of user undid
            scratch = tempfile.mkdtemp(prefix="efficientlab-box-")
        told, tell = os.pipe()
        box = os.fork()
        if box == 0:
            os.close(tell)
            os.read(told, 1)  # the box's first word must come after the guard's
            _box(line, limits, scratch, user, serve)
        handle = os.pidfd_open(box)
        socket.send_fds(line, [b"k"], [handle])
        line.close()
        os.close(tell)
        while scratch and not select.select([handle], [], [], WATCH_SECONDS)[0]:
            if held_bytes(Path(scratch), os.getpid()) > limits.scratch:
                signal.pidfd_send_signal(handle, signal.SIGKILL)
                break
        os.waitpid(box, 0)
        status = 0
    except BaseException as error:
        with contextlib.suppress(OSError):
            line.sendall(f"e{error}".encode()[:2000])
    finally:
        if scratch:
            _end_descendants()
            subprocess.run(["chmod", "-R", "u+rwx", scratch], stderr=subprocess.DEVNULL, check=False)
            subprocess.run(["rm", "-rf", scratch], check=False)
        os._exit(status)


def _box(
    line: socket.socket,
    limits: Limits,
    scratch: str | None,
    user: int,
    serve: Callable[[socket.socket], None],
) -> None:
    """Confine this process and let it converse. Never returns."""
    status = 1
    try:
        null = os.open("/dev/null", os.O_RDWR)
        for standard in range(3):
            os.dup2(null, standard)
        channel = os.dup2(line.fileno(), 3)
        line.detach()
        os.closerange(4, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
        line = socket.socket(fileno=channel)
        os.setsid()
        if scratch is None:
            namespaces.enter_box(limits, user)
            scratch = view.SCRATCH
        else:
            _enter_without_namespaces(limits, Path(scratch))
        os.chdir(scratch)
        os.environ.update(HOME=scratch, TMPDIR=scratch)
        tempfile.tempdir = None  # it may remember the server's
        serve(line)
        status = 0
    except BaseException as error:
        with contextlib.suppress(Exception):
            from efficientlab.grading.running.wire import pack

            line.sendall(pack({"ready": False, "text": f"{type(error).__name__}: {error}"[:2000]}))
    finally:
        os._exit(status)


def _enter_without_namespaces(limits: Limits, scratch: Path) -> None:
    own = [Path(f"/proc/{os.getpid()}"), *(Path(device) for device in view.DEVICES)]
    restrain(limits, _others(limits))
    libc.drop_capabilities()
    libc.prctl(libc.PR_SET_PDEATHSIG, signal.SIGKILL)
    readable, listed = view.taken_apart(view.readable())
    readable += [*own, *(Path(file) for file in view.PROCESSOR)]
    landlock.confine(readable, listed, [scratch, Path("/dev/null")])
    seccomp.confine(namespaces=False)


def _others(limits: Limits) -> int:
    """Processes and threads of this user that are none of this box's, with room for those of the other boxes."""
    if os.geteuid() >= namespaces.BOXES:
        return 0  # a user of its own
    mine = 0
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if folder.stat().st_uid == os.geteuid():
                mine += len(os.listdir(folder / "task"))  # noqa: PTH208
    return mine + limits.processes * 2 * (os.cpu_count() or 1)


def _end_descendants() -> None:
    """Kill whatever the box left behind. All are stopped first, so that none can start another meanwhile."""
    for act in (signal.SIGSTOP, signal.SIGKILL):
        known: set[int] = set()
        while new := set(descendants(os.getpid())) - known:
            for process in new:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, act)
            known |= new
    with contextlib.suppress(ChildProcessError):
        while True:
            os.waitpid(-1, 0)


if __name__ == "__main__":
    main()
