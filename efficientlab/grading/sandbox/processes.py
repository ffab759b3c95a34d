"""Boxes that are processes of their own: without a sandbox, under bubblewrap, or in a container.

Each imports torch anew, which takes seconds, so one serves all exercises of a submission until it breaks.
"""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from efficientlab.environment import python_path
from efficientlab.grading.running.wire import pack
from efficientlab.grading.sandbox.channel import Channel, PipeChannel
from efficientlab.grading.sandbox.contract import SandboxError, Setup
from efficientlab.grading.sandbox.variables import environment

MODULE = "efficientlab.grading.running.box"
SEND_SECONDS = 30.0


class Start(NamedTuple):
    """How a box is started, and what is left to do when its process has ended."""

    command: list[str]
    variables: dict[str, str]
    clean_up: Callable[[], None] = lambda: None
    folder: str | None = None


class ProcessSandbox:
    """Starts a box with a command line; the subclasses say which."""

    fresh_per_exercise = False
    name: str
    guarantee: str

    def __init__(self, setup: Setup) -> None:
        self.setup = setup

    def open(self) -> Channel:
        """A new box; it has its lab, and gets its code next."""
        start = self.start()
        try:
            process = subprocess.Popen(
                start.command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=start.variables,
                cwd=start.folder,
            )
        except OSError as error:
            start.clean_up()
            raise SandboxError(f"the {self.name} sandbox could not start a box: {error}") from None
        channel = PipeChannel(process, start.clean_up)
        first = pack({"lab": self.setup.lab, "prelude": list(self.setup.prelude)})
        try:
            channel.send(first, time.monotonic() + SEND_SECONDS)
        except OSError as error:
            channel.close()
            raise SandboxError(f"a box of the {self.name} sandbox died at its start: {error}") from None
        return channel

    def close(self) -> None:
        """Nothing outlives its box."""

    def start(self) -> Start:
        """How to start the next box."""
        raise NotImplementedError


class NoSandbox(ProcessSandbox):
    """A plain process of the same user: for code that one trusts, as one's own. Works on every system."""

    name = "none"
    guarantee = "There was NO sandbox: the code ran with all rights of the person who graded it."

    def start(self) -> Start:
        folder = tempfile.mkdtemp(prefix="efficientlab-check-")
        variables = {
            **os.environ,
            "EFFICIENTLAB_PROFILE": "ci",
            "MPLBACKEND": "agg",
            "TORCHDYNAMO_DISABLE": "1",
            "PYTHONPATH": python_path(),
            "TMPDIR": folder,
        }
        command = [sys.executable, "-m", MODULE]
        return Start(command, variables, lambda: shutil.rmtree(folder, ignore_errors=True), folder)


class Bubblewrap(ProcessSandbox):
    """bubblewrap (https://github.com/containers/bubblewrap), where it may make namespaces and Python may not."""

    name = "bubblewrap"
    guarantee = (
        "Each submission ran under bubblewrap without root in fresh process, mount, network and IPC namespaces: no "
        "network, no other process, nothing of the disk but Python and this package, and memory limited one by one."
    )

    def start(self) -> Start:
        from efficientlab.grading.sandbox import namespaces, view  # which need Linux

        arguments = ["bwrap", "--die-with-parent", "--new-session", "--cap-drop", "ALL", "--clearenv"]
        if os.geteuid() == 0:
            # a user namespace of root's would map its root to the machine's: `confined` drops it
            arguments += ["--unshare-pid", "--unshare-ipc", "--unshare-net", "--unshare-uts"]
            arguments += ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID", "--hostname", "box"]
        else:
            arguments += ["--unshare-all", "--hostname", "box"]
        arguments += ["--size", str(self.setup.limits.scratch), "--tmpfs", "/tmp"]
        visible = view.readable()
        for folder in sorted(
            {parent for path in visible for parent in path.parents} - {Path("/"), Path("/tmp")}
        ):
            arguments += ["--perms", "0755", "--dir", str(folder)]  # without it, root's alone
        for path in visible:
            if path.is_symlink():
                arguments += ["--symlink", str(path.readlink()), str(path)]
            else:
                arguments += ["--ro-bind", str(path), str(path)]
        for path in view.hidden():
            arguments += ["--size", "4096", "--tmpfs", str(path), "--remount-ro", str(path)]
        arguments += ["--proc", "/proc", "--dev", "/dev", "--size", str(self.setup.limits.scratch)]
        arguments += ["--perms", "1777", "--tmpfs", "/dev/shm", "--remount-ro", "/dev"]
        arguments += ["--chdir", "/tmp", "--remount-ro", "/"]
        for name, value in environment().items():
            arguments += ["--setenv", name, value]
        user = namespaces.BOXES + secrets.randbelow(1 << 30)  # of its own: processes are counted by user
        confine = ["-m", "efficientlab.grading.sandbox.confined", str(self.setup.limits.memory), str(user)]
        variables = environment()  # the box can read bwrap's own as well
        return Start([*arguments, sys.executable, *confine], variables)


class Container(ProcessSandbox):
    """Docker or Podman, with an image that has Python and this package in it."""

    def __init__(self, setup: Setup, engine: str, image: str) -> None:
        super().__init__(setup)
        self.name = engine
        self.engine = engine
        self.image = image
        self.guarantee = (
            f"Each submission ran as nobody in a {engine} container of {image}: no network, no other process, a "
            "read-only disk, no capabilities, and memory and processes limited together."
        )

    def start(self) -> Start:
        name = f"efficientlab-{uuid.uuid4().hex}"
        limits = self.setup.limits
        arguments = [self.engine, "run", "--rm", "--interactive", "--name", name, "--init"]
        arguments += ["--network", "none", "--ipc", "private", "--read-only", "--cap-drop", "ALL"]
        arguments += ["--security-opt", "no-new-privileges", "--user", "65534:65534"]
        arguments += ["--memory", str(limits.memory), "--memory-swap", str(limits.memory)]
        arguments += ["--pids-limit", str(limits.processes), "--cpus", "1"]
        arguments += ["--ulimit", f"nofile={limits.files}", "--ulimit", "core=0"]
        arguments += ["--tmpfs", f"/tmp:rw,nosuid,nodev,size={limits.scratch}", "--workdir", "/tmp"]
        inside: tuple[str, ...] = ("EFFICIENTLAB_PROFILE", "MPLBACKEND", "TRITON_INTERPRET")
        inside += ("TORCHDYNAMO_DISABLE", "OMP_NUM_THREADS", "HOME")
        for key in inside:
            arguments += ["--env", f"{key}={environment()[key]}"]

        def remove() -> None:
            subprocess.run(
                [self.engine, "rm", "--force", name],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                check=False,
            )

        return Start([*arguments, self.image, "python", "-m", MODULE], dict(os.environ), remove)
