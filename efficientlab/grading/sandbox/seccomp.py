"""A system call filter for a box: a BPF program of comparisons, installed once, inherited by all that it starts."""

from __future__ import annotations

import ctypes
import errno
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

from efficientlab.grading.sandbox import libc
from efficientlab.grading.sandbox.syscalls import ALWAYS, NEWEST, WITHOUT_NAMESPACES, architecture, number

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06  # BPF's words for them
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_EPERM = _ERRNO | errno.EPERM
_NUMBER, _ARCHITECTURE = 0, 4  # offsets into struct seccomp_data

_NEW_NAMESPACES = (
    libc.CLONE_NEWNS
    | (libc.CLONE_NEWUTS | libc.CLONE_NEWIPC | 0x02000000)  # and the cgroup namespace
    | (libc.CLONE_NEWUSER | libc.CLONE_NEWPID | libc.CLONE_NEWNET)
)
# F_SETOWN, F_SETSIG, F_SETOWN_EX: a file that sends a signal to any process of the same user
_OWNER = (8, 10, 15)
# locks, which one box could set and another one see, on files that both may read: granted, and not made
_LOCKS = (5, 6, 7, 36, 37, 38)  # F_GETLK, F_SETLK, F_SETLKW, and the same for open files
_WATCHES = (1024, 1026)  # F_SETLEASE, F_NOTIFY: word of what others do with a file
_FIOSETOWN, _SIOCSPGRP = 0x8901, 0x8902
_TIOCSTI, _TIOCLINUX = 0x5412, 0x541C  # typing into the terminal of somebody else


@dataclass
class Program:
    """A filter under construction: blocks that each decide about one call, and leave all others alone."""

    code: list[tuple[int, int, int, int]] = field(default_factory=list)  # (operation, if true, if false, k)

    def start(self) -> None:
        """Refuse foreign architectures, the x32 alias of every call, and calls newer than this list."""
        self.code += [
            (_LOAD, 0, 0, _ARCHITECTURE),
            (_EQUAL, 1, 0, architecture()),
            (_RETURN, 0, 0, _KILL),
            (_LOAD, 0, 0, _NUMBER),
            (_AT_LEAST, 0, 1, NEWEST + 1),
            (_RETURN, 0, 0, _ERRNO | errno.ENOSYS),
        ]

    def deny(self, name: str, error: int = errno.EPERM) -> None:
        """Answer a call with `error`, whatever its arguments are."""
        if (n := number(name)) is not None:
            self.code += [(_EQUAL, 0, 1, n), (_RETURN, 0, 0, _ERRNO | error)]

    def deny_where(self, name: str, position: int, operation: int, *values: int) -> None:
        """Deny a call if the comparison holds for its argument at `position` and any of `values`."""
        self.answer_where(name, position, operation, dict.fromkeys(values, errno.EPERM))

    def answer_where(self, name: str, position: int, operation: int, errors: Mapping[int, int]) -> None:
        """Answer a call with the error (0: as if it were done) of the value that its argument compares with."""
        if (n := number(name)) is not None:
            tests = [
                line
                for value, error in errors.items()
                for line in ((operation, 0, 1, value), (_RETURN, 0, 0, _ERRNO | error))
            ]
            self._for_argument(n, position, [*tests, (_RETURN, 0, 0, _ALLOW)])

    def allow_only(self, name: str, position: int, value: int, error: int = errno.EPERM) -> None:
        """Answer a call with `error` unless its argument at `position` is `value`."""
        if (n := number(name)) is not None:
            refuse = (_RETURN, 0, 0, _ERRNO | error)
            self._for_argument(n, position, [(_EQUAL, 1, 0, value), refuse, (_RETURN, 0, 0, _ALLOW)])

    def _for_argument(self, n: int, position: int, block: list[tuple[int, int, int, int]]) -> None:
        load = (_LOAD, 0, 0, 16 + 8 * position)  # its low word, on little-endian machines
        self.code += [(_EQUAL, 0, len(block) + 1, n), load, *block]

    def made(self) -> _Program:
        """The program as the kernel reads it."""
        self.code.append((_RETURN, 0, 0, _ALLOW))
        instructions = (_Instruction * len(self.code))(*(_Instruction(*line) for line in self.code))
        return _Program(len(self.code), instructions)


class _Instruction(ctypes.Structure):
    _fields_ = [
        *(("code", ctypes.c_uint16), ("jt", ctypes.c_uint8), ("jf", ctypes.c_uint8), ("k", ctypes.c_uint32))
    ]


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_uint16), ("filter", ctypes.POINTER(_Instruction))]


def confine(namespaces: bool) -> None:
    """Filter this process and all its children from now on; there is no way back."""
    program = program_of(namespaces, 0 if namespaces else os.getpid())
    libc.prctl(libc.PR_SET_NO_NEW_PRIVS, 1)
    libc.prctl(libc.PR_SET_SECCOMP, 2, ctypes.addressof(program))


@cache
def program_of(namespaces: bool, process: int = 0) -> _Program:
    """The filter of a box, with the stricter list, and its own process alone to be signalled, without namespaces.

    The fork server makes the one that is the same for all boxes.
    """
    program = Program()
    program.start()
    for name in ALWAYS:
        program.deny(name)
    program.deny("clone3", errno.ENOSYS)  # its flags are out of a filter's sight: libc falls back to clone
    program.deny_where("clone", 0, _ANY_BIT, _NEW_NAMESPACES)
    program.deny_where("prctl", 0, _EQUAL, libc.PR_SET_PDEATHSIG)  # it dies with the grader
    program.deny("flock", 0)
    program.deny("setsid", 0)  # Linux shares processors out by session: a box has one share
    program.allow_only("preadv2", 5, 0, errno.EOPNOTSUPP)  # RWF_NOWAIT: whether a page is in memory
    owner = () if namespaces else _OWNER
    locks = dict.fromkeys(_LOCKS, 0) | dict.fromkeys((*_WATCHES, *owner), errno.EPERM)
    program.answer_where("fcntl", 1, _EQUAL, locks)
    if namespaces:
        program.deny_where("ioctl", 1, _EQUAL, _TIOCSTI, _TIOCLINUX)
        program.allow_only("socket", 0, socket.AF_UNIX, errno.EACCES)
    else:
        program.deny("socket", errno.EACCES)
        for name in WITHOUT_NAMESPACES:
            program.deny(name)
        program.deny_where("ioctl", 1, _EQUAL, _TIOCSTI, _TIOCLINUX, _FIOSETOWN, _SIOCSPGRP)
        for name in ("kill", "tkill", "tgkill"):
            program.allow_only(name, 0, process)
        program.allow_only("prlimit64", 0, 0)
    return program.made()
