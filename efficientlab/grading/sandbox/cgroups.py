"""A control group for the boxes of one supervisor: memory and number of processes, counted over all of a box.

Version 2 where its controllers are delegated to us, version 1 where its folders are ours to write (root), and
None elsewhere: then each process of a box is limited by itself (`limits`).
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from efficientlab.grading.sandbox.limits import Limits

_PREFIX = "efficientlab-"
_FILES = {1: ("memory.limit_in_bytes", "pids.max"), 2: ("memory.max", "pids.max")}


class ControlGroup:
    """One group (of version 1: two folders), for one box at a time."""

    def __init__(self, folders: list[Path]) -> None:
        self.folders = folders

    def add(self, process: int) -> None:
        """Put a process into the group, and with it all that it starts."""
        for folder in self.folders:
            (folder / "cgroup.procs").write_text(str(process), encoding="utf-8")

    def close(self) -> None:
        """Remove the group, once its processes are gone."""
        for folder in self.folders:
            with contextlib.suppress(OSError):
                folder.rmdir()


def make_group(
    limits: Limits, root: Path = Path("/sys/fs/cgroup"), own: Path = Path("/proc/self/cgroup")
) -> ControlGroup | None:
    """A new group with these limits under our own; None where we may not make one."""
    try:
        lines = [line.split(":", 2) for line in own.read_text(encoding="utf-8").splitlines()]
    except OSError:
        return None
    homes = {controller: path for _, names, path in lines for controller in names.split(",")}
    if "memory" in homes and "pids" in homes:
        version, parents = 1, [root / name / homes[name].lstrip("/") for name in ("memory", "pids")]
    elif "" in homes:
        version, parents = 2, [root / homes[""].lstrip("/")]
    else:
        return None
    made: list[Path] = []
    try:
        for parent in parents:
            _remove_left_over(parent)
            if version == 2:
                (parent / "cgroup.subtree_control").write_text("+memory +pids", encoding="utf-8")
            made.append(_new_folder(parent))
        for name, value in zip(
            _FILES[version], (limits.memory + limits.scratch, limits.processes), strict=True
        ):
            file = next(folder / name for folder in made if (folder / name).exists())
            file.write_text(str(value), encoding="utf-8")
    except (OSError, StopIteration):
        ControlGroup(made).close()
        return None
    return ControlGroup(made)


def _new_folder(parent: Path) -> Path:
    for number in range(1_000):
        folder = parent / f"{_PREFIX}{os.getpid()}-{number}"
        try:
            folder.mkdir()
        except FileExistsError:
            continue
        return folder
    raise OSError(f"{parent} is full of groups of this process")


def _remove_left_over(parent: Path) -> None:
    """Remove the groups of graders that were killed."""
    for folder in parent.glob(f"{_PREFIX}*"):
        process = folder.name.removeprefix(_PREFIX).split("-")[0]
        if process.isdigit() and not Path(f"/proc/{process}").exists():
            with contextlib.suppress(OSError):
                folder.rmdir()
