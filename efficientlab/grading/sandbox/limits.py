"""How much one box may take of the machine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Limits:
    """Seconds of wall time, bytes of memory, and counts; each for one box, which holds one exercise of one student.

    `case` is the time for one case, `exercise` for all cases of an exercise, `submission` for a student's
    exercises together.
    """

    case: float = 20.0
    exercise: float = 60.0
    submission: float = 300.0
    memory: int = 2_000_000_000
    scratch: int = 128_000_000
    processes: int = 64
    files: int = 256


def restrain(limits: Limits, others: int = 0) -> None:
    """Set the limits of this process, and of each that it starts, for good (Linux).

    `others` are processes of the same user that are none of this box's: the kernel counts them with it.
    """
    import resource

    pages = Path("/proc/self/statm").read_text(encoding="utf-8").split()[0]
    taken = int(pages) * resource.getpagesize()
    for kind, value in (
        (resource.RLIMIT_AS, taken + limits.memory),
        (resource.RLIMIT_CPU, int(limits.exercise) + 5),
        (resource.RLIMIT_FSIZE, limits.scratch),
        (resource.RLIMIT_NOFILE, limits.files),
        (resource.RLIMIT_NPROC, limits.processes + others),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_MEMLOCK, 0),
        (resource.RLIMIT_MSGQUEUE, 0),
    ):
        hard = resource.getrlimit(kind)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (value, value))
