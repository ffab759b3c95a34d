"""Linux namespaces around the fork server, and fresh ones around every box.

As root the server mounts with root's rights, and a box gives up root before its user namespace is made: a user
namespace of root's would map its root to the machine's. As an ordinary user the server makes a user namespace
first, which lends it the right to mount. A box is never root, and holds no capability when it reads its first
message.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
from pathlib import Path

from efficientlab.grading.sandbox import libc, seccomp, view
from efficientlab.grading.sandbox.limits import Limits, restrain

NOBODY = 65534
BOXES = 2_000_000_000  # where the user ids of boxes begin
_AROUND_A_BOX = (
    libc.CLONE_NEWNS | libc.CLONE_NEWPID | libc.CLONE_NEWIPC | libc.CLONE_NEWNET | libc.CLONE_NEWUTS
)


def enter_server() -> None:
    """Before anything heavy is loaded: see the disk as a box may, read-only and without the rest."""
    if os.geteuid() == 0:
        libc.unshare(libc.CLONE_NEWNS)
    else:
        _unshare_with_user(libc.CLONE_NEWNS)
    view.enter()


def leave_parents() -> None:
    """In the guard of a box: the next child is the first process of a world of its own."""
    if os.geteuid() == 0:
        libc.unshare(_AROUND_A_BOX)
    else:
        _unshare_with_user(_AROUND_A_BOX)


def own_user() -> int:
    """A user id for the box of this guard alone: the kernel counts processes by user, and boxes must not share that."""
    return BOXES + os.getpid()


def enter_box(limits: Limits, user: int) -> None:
    """In that child: mount what is its own, then give up every right for good, as `user` where this is root."""
    socket.sethostname("box")
    view.mount_private(limits.scratch // 1_000_000)
    restrain(limits)
    if os.geteuid() == 0:
        give_up_root(user)
        with contextlib.suppress(OSError):  # where it is denied, the other namespaces are there all the same
            _unshare_with_user(0, NOBODY)
    libc.drop_capabilities()
    libc.prctl(libc.PR_SET_PDEATHSIG, signal.SIGKILL)
    seccomp.confine(namespaces=True)


def give_up_root(user: int = NOBODY) -> None:
    """Become `user`, for good, in all of a process's user and group ids; nobody, where there is no such id."""
    os.setgroups([])
    try:
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
    except OSError:  # a container may have no more ids than 65,536
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
    libc.prctl(libc.PR_SET_DUMPABLE, 1)  # else its own /proc/self would be root's


def _unshare_with_user(flags: int, inside: int | None = None) -> None:
    """New namespaces, a user's among them, in which this user is called `inside`, or as outside."""
    user, group = os.geteuid(), os.getegid()
    libc.unshare(libc.CLONE_NEWUSER | flags)
    Path("/proc/self/setgroups").write_text("deny", encoding="utf-8")
    Path("/proc/self/uid_map").write_text(f"{user if inside is None else inside} {user} 1", encoding="utf-8")
    Path("/proc/self/gid_map").write_text(
        f"{group if inside is None else inside} {group} 1", encoding="utf-8"
    )
