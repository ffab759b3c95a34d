"""The few calls of Linux that Python has no name for, through ctypes; each raises `OSError` as `os` does."""

from __future__ import annotations

import ctypes
import os

_LIBC = ctypes.CDLL(None, use_errno=True)

CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC = 0x00020000, 0x04000000, 0x08000000
CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = 0x10000000, 0x20000000, 0x40000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC = 1, 2, 4, 8
MS_BIND, MS_REC, MS_PRIVATE = 4096, 16384, 1 << 18
MNT_DETACH = 2
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_SECCOMP, PR_CAPBSET_DROP = 1, 4, 22, 24
PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS, PR_CAP_AMBIENT = 36, 38, 47
_SYS_MOUNT_SETATTR = 442  # the same number on every architecture, as all since 424
_AT_FDCWD, _AT_RECURSIVE = -100, 0x8000
_ATTR_RDONLY, _ATTR_NOSUID, _ATTR_NODEV = 1, 2, 4
LAST_CAPABILITY = 63


def check(result: int, what: str) -> int:
    """`result` of a C call; `OSError` with `what` where it is negative."""
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error), what)
    return result


def syscall(number: int, *arguments: object) -> int:
    """A raw system call, as `syscall(2)`; -1 where it fails."""
    return int(_LIBC.syscall(ctypes.c_long(number), *arguments))


def unshare(flags: int) -> None:
    """Move this process into new namespaces."""
    check(_LIBC.unshare(ctypes.c_int(flags)), "unshare")


def mount(source: str, target: str, kind: str | None, flags: int, options: str | None = None) -> None:
    """mount(2)."""
    encoded = [None if text is None else text.encode() for text in (source, target, kind, options)]
    check(
        _LIBC.mount(encoded[0], encoded[1], encoded[2], ctypes.c_ulong(flags), encoded[3]), f"mount {target}"
    )


def detach(target: str) -> None:
    """Unmount `target` now, and clean up once nobody uses it."""
    check(_LIBC.umount2(target.encode(), MNT_DETACH), f"umount {target}")


def pivot_root(new: str, old: str) -> None:
    """pivot_root(2)."""
    check(_LIBC.pivot_root(new.encode(), old.encode()), f"pivot_root {new}")


class _MountAttributes(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint64) for name in ("set", "clear", "propagation", "userns")]


def make_read_only(path: str) -> None:
    """Make the mount at `path`, and all below it, read-only, without devices and set-user-id programs."""
    attributes = _MountAttributes(_ATTR_RDONLY | _ATTR_NOSUID | _ATTR_NODEV, 0, 0, 0)
    arguments = (ctypes.c_int(_AT_FDCWD), path.encode(), ctypes.c_uint(_AT_RECURSIVE))
    size = ctypes.c_size_t(ctypes.sizeof(attributes))
    check(syscall(_SYS_MOUNT_SETATTR, *arguments, ctypes.byref(attributes), size), f"mount_setattr {path}")


def advise(start: int, size: int, advice: int) -> bool:
    """madvise(2); whether the kernel took it."""
    return _LIBC.madvise(ctypes.c_void_p(start), ctypes.c_size_t(size), ctypes.c_int(advice)) == 0


def prctl(option: int, *arguments: int) -> None:
    """prctl(2)."""
    values = [ctypes.c_ulong(value) for value in (*arguments, 0, 0, 0, 0)[:4]]
    check(_LIBC.prctl(ctypes.c_int(option), *values), f"prctl {option}")


def drop_capabilities() -> None:
    """Give up every capability for good: bounding and ambient set, and what this process holds."""
    for capability in range(LAST_CAPABILITY + 1):
        try:
            prctl(PR_CAPBSET_DROP, capability)
        except OSError:  # no such capability, or none to drop with
            break
    prctl(PR_CAP_AMBIENT, 4)  # PR_CAP_AMBIENT_CLEAR_ALL
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)  # version 3, this process
    none = (ctypes.c_uint32 * 6)()
    check(_LIBC.capset(header, none), "capset")
