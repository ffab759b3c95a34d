"""Where students' code runs.

`open_sandbox("auto", setup)` takes the first that works on this machine:

1. `namespaces`: boxes forked in milliseconds, each in namespaces of its own (Linux; as root or not);
2. `bubblewrap`: the same walls, one process start a submission (where only bwrap may make namespaces);
3. `landlock`: forked boxes with Landlock and a system call filter only; a weaker guarantee, which it names.

`docker` and `podman` need an image and are taken only by name, `none` runs without any sandbox. A sandbox is
tried by opening a box in it: what this machine denies shows there.
"""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable
from typing import Literal

from efficientlab.grading.running.wire import receive
from efficientlab.grading.sandbox.channel import Channel
from efficientlab.grading.sandbox.contract import Sandbox, SandboxError, Setup

NAMES = ("auto", "namespaces", "bubblewrap", "landlock", "docker", "podman", "none")
START_SECONDS = 120.0


Proof = Callable[[Sandbox], None]  # raises `SandboxError` where what must run in a sandbox does not


def open_sandbox(name: str, setup: Setup, image: str | None = None, proof: Proof | None = None) -> Sandbox:
    """The sandbox called `name`, tried out, with `proof` if there is one; `SandboxError` says why it does not work."""
    if name not in NAMES:
        raise ValueError(f"there is no sandbox {name!r}; there are {', '.join(NAMES)}.")
    if name != "auto":
        return _tried(_MAKERS[name](setup, image), proof)
    refusals = []
    for candidate in ("namespaces", "bubblewrap", "landlock"):
        try:
            return _tried(_MAKERS[candidate](setup, image), proof)
        except SandboxError as error:
            refusals.append(f"{candidate}: {error}")
    raise SandboxError(
        "no sandbox works on this machine, so nothing was graded. Take another machine, a container image (docker), or "
        f"the sandbox `none` if you trust every submission as your own code. {'; '.join(refusals)}"
    )


def wait_until_ready(sandbox: Sandbox) -> tuple[Channel, float]:
    """Open a box and wait for its first message; return its channel and the seconds it took."""
    start = time.monotonic()
    channel = sandbox.open()
    try:
        header, _ = receive(lambda size: channel.read(size, start + START_SECONDS))
    except (OSError, EOFError, ValueError) as error:
        channel.close()
        raise SandboxError(
            f"a box of the {sandbox.name} sandbox died before it was ready: {error!r}"
        ) from None
    if header.get("ready") is not True:
        channel.close()
        raise SandboxError(f"a box of the {sandbox.name} sandbox could not be made: {header.get('text')}")
    return channel, time.monotonic() - start


def _tried(sandbox: Sandbox, proof: Proof | None) -> Sandbox:
    try:
        if proof:
            proof(sandbox)
        else:
            channel, _ = wait_until_ready(sandbox)
            channel.close()
    except SandboxError:
        sandbox.close()
        raise
    return sandbox


def _forked(mode: Literal["namespaces", "landlock"]) -> Callable[[Setup, str | None], Sandbox]:
    def make(setup: Setup, image: str | None) -> Sandbox:
        if sys.platform != "linux":
            raise SandboxError("it needs Linux")
        from efficientlab.grading.sandbox.forked import ForkedSandbox

        return ForkedSandbox(mode, setup)

    return make


def _bubblewrap(setup: Setup, image: str | None) -> Sandbox:
    from efficientlab.grading.sandbox.processes import Bubblewrap

    if shutil.which("bwrap") is None:
        raise SandboxError("bwrap is not installed (Debian and Ubuntu: apt-get install bubblewrap)")
    return Bubblewrap(setup)


def _container(engine: str) -> Callable[[Setup, str | None], Sandbox]:
    def make(setup: Setup, image: str | None) -> Sandbox:
        from efficientlab.grading.sandbox.processes import Container

        if shutil.which(engine) is None:
            raise SandboxError(f"{engine} is not installed")
        if image is None:
            raise SandboxError(
                f"{engine} needs an image that has Python and efficientlab in it (--image NAME)"
            )
        return Container(setup, engine, image)

    return make


def _none(setup: Setup, image: str | None) -> Sandbox:
    from efficientlab.grading.sandbox.processes import NoSandbox

    return NoSandbox(setup)


_MAKERS: dict[str, Callable[[Setup, str | None], Sandbox]] = {
    "namespaces": _forked("namespaces"),
    "bubblewrap": _bubblewrap,
    "landlock": _forked("landlock"),
    "docker": _container("docker"),
    "podman": _container("podman"),
    "none": _none,
}
