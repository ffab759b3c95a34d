"""Landlock: a process's own list of paths that it, and all that it starts, may touch from now on.

It hides neither processes nor names, and leaves file modes and times to others; the system call filter closes
what it can of that. Linux 6.2 or newer (ABI 3: before it, files could be truncated past the list).
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterable
from pathlib import Path

from efficientlab.grading.sandbox import libc

_CREATE, _ADD, _RESTRICT = 444, 445, 446
_VERSION_FLAG, _BENEATH = 1, 1
_EXECUTE, _READ_FILE, _READ_DIR = 1, 4, 8
_ALL_RIGHTS = {3: 0x7FFF, 4: 0x7FFF, 5: 0xFFFF}  # ABI 5 adds the control of devices
_ON_FILES = 0x1 | 0x2 | 0x4 | 0x4000 | 0x8000  # execute, write, read, truncate, ioctl
NEEDED = 3


class _Ruleset(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint64) for name in ("files", "network", "scope")]


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = [("rights", ctypes.c_uint64), ("parent", ctypes.c_int32)]


def version() -> int:
    """The kernel's Landlock ABI; 0 where there is none."""
    return max(0, libc.syscall(_CREATE, None, ctypes.c_size_t(0), ctypes.c_uint(_VERSION_FLAG)))


def confine(readable: Iterable[Path], listed: Iterable[Path], writable: Iterable[Path]) -> None:
    """Let this process read and execute below `readable`, list what is below `listed`, do anything below `writable`.

    It touches nothing else from then on.
    """
    abi = version()
    if abi < NEEDED:
        raise OSError(f"Landlock ABI {abi} is not enough; {NEEDED} is needed (Linux 6.2)")
    every = _ALL_RIGHTS[min(abi, 5)]
    network = 0x3 if abi >= 4 else 0  # no TCP
    scope = 0x3 if abi >= 6 else 0  # no abstract sockets and no signals beyond this box
    ruleset = _Ruleset(every, network, scope)
    size = {3: 8, 4: 16, 5: 16}.get(abi, 24)
    handle = libc.check(
        libc.syscall(_CREATE, ctypes.byref(ruleset), ctypes.c_size_t(size), ctypes.c_uint(0)), "landlock"
    )
    for paths, rights in (
        (readable, _EXECUTE | _READ_FILE | _READ_DIR),
        (listed, _READ_DIR),
        (writable, every),
    ):
        for path in paths:
            _allow(handle, path, rights)
    libc.prctl(libc.PR_SET_NO_NEW_PRIVS, 1)
    libc.check(libc.syscall(_RESTRICT, ctypes.c_int(handle), ctypes.c_uint(0)), "landlock")
    os.close(handle)


def _allow(ruleset: int, path: Path, rights: int) -> None:
    parent = os.open(path, os.O_PATH | os.O_CLOEXEC)
    if not path.is_dir():
        rights &= _ON_FILES
    rule = _Beneath(rights, parent)
    arguments = (ctypes.c_int(ruleset), ctypes.c_int(_BENEATH), ctypes.byref(rule), ctypes.c_uint(0))
    libc.check(libc.syscall(_ADD, *arguments), f"landlock {path}")
    os.close(parent)
