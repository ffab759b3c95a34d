"""What a box can see of the disk: the system's programs, Python, this package and its data, nothing else."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from efficientlab.environment import ROOT
from efficientlab.grading.sandbox import libc

SYSTEM = ("/usr", "/lib", "/lib32", "/lib64", "/bin", "/sbin", "/etc/ld.so.cache", "/etc/alternatives")
HARDWARE = "/sys/devices/system/cpu"  # torch asks for the number of cores
PROCESSOR = ("/proc/cpuinfo", "/proc/meminfo", "/proc/stat")  # and XNNPACK, OpenMP, for what they can do
DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
PASSWD = "student:x:65534:65534:student:/tmp:/bin/sh\n"
_OURS = tuple(ROOT / name for name in ("efficientlab", "data"))
_REMOUNT = 32
SCRATCH = "/tmp"  # the one place where a box can write: its own, in memory


@cache
def readable() -> tuple[Path, ...]:
    """The paths that Python and the labs need, without what lies below another of them."""
    return _outermost([*(Path(path) for path in (*SYSTEM, HARDWARE)), *_python(), *_OURS])


@cache
def hidden() -> tuple[Path, ...]:
    """Folders below `readable()` that no box sees.

    The answers that `lab.borrow` hands out, of every copy of the package: a box gets the texts of those that it may.
    And what else is in a checkout that lies in a readable folder, as `/usr/src/app` does: its solutions.
    """
    prefixes = {Path(prefix) for prefix in (sys.prefix, sys.base_prefix, "/usr", "/usr/local")}
    installed = (path for prefix in prefixes for path in prefix.glob("lib*/python3*/*-packages"))
    paths = [path / "efficientlab" / "exercises" / "lent" for path in (ROOT, *_python(), *installed)]
    if (ROOT / "pyproject.toml").exists():
        needed = {folder for path in (*_python(), *_OURS) for folder in (path, *path.parents)}
        paths += [path for path in ROOT.iterdir() if path.is_dir() and path not in needed]
    return _outermost(path for path in paths if not path.is_symlink() and _is_below(path, readable()))


def _python() -> list[Path]:
    """Where Python and its packages are."""
    prefixes = [Path(prefix) for prefix in (sys.prefix, sys.base_prefix, sys.exec_prefix)]
    return prefixes + [Path(p) for p in sys.path if Path(p).name in ("site-packages", "dist-packages")]


def _outermost(paths: Iterable[Path]) -> tuple[Path, ...]:
    """Those of `paths` that are there, without what lies below another of them."""
    there = sorted({path for path in paths if path.exists()})
    return tuple(path for path in there if not _is_below(path, there))


def _is_below(path: Path, others: Iterable[Path]) -> bool:
    return any(other in path.parents for other in others)


def taken_apart(paths: Iterable[Path]) -> tuple[list[Path], list[Path]]:
    """`paths` in parts that hold nothing `hidden`, for a sandbox that can only allow; and the folders of those."""
    whole, apart, waiting = [], [], list(paths)
    while waiting:
        path = waiting.pop()
        if path in hidden():
            continue
        if any(path in folder.parents for folder in hidden()):
            apart.append(path)
            waiting += path.iterdir()
        else:
            whole.append(path)
    return whole, apart


def enter() -> None:
    """Give this process, alone in a fresh mount namespace, a root that holds `readable()` and devices only.

    It needs the right to mount: root's, or that of a user namespace. Everything is mounted read-only.
    """
    libc.mount("none", "/", None, libc.MS_REC | libc.MS_PRIVATE)
    unseen = hidden()
    sources = [(str(path), os.open(path, os.O_PATH)) for path in [*readable(), Path("/proc")]]
    sources += [(device, os.open(device, os.O_PATH)) for device in DEVICES]
    links = {path: str(path.readlink()) for path in map(Path, SYSTEM) if path.is_symlink()}
    root = "/tmp"  # the new root hides it, here only
    libc.mount("none", root, "tmpfs", libc.MS_NOSUID | libc.MS_NODEV, "mode=755,size=1m")
    for path, handle in sources:
        if Path(path) in links:
            Path(root + path).symlink_to(links[Path(path)])
            continue
        target = Path(root + path)
        target.parent.mkdir(parents=True, exist_ok=True)
        if Path(f"/proc/self/fd/{handle}").is_dir():
            target.mkdir(exist_ok=True)
        else:
            target.touch()
        libc.mount(f"/proc/self/fd/{handle}", str(target), None, libc.MS_BIND | libc.MS_REC)
        if path != "/proc" and path not in DEVICES:
            libc.make_read_only(str(target))
        os.close(handle)
    for folder in unseen:
        libc.mount("none", f"{root}{folder}", "tmpfs", libc.MS_RDONLY, "mode=755,size=4k")
    (Path(root) / "etc" / "passwd").write_text(PASSWD, encoding="utf-8")
    (Path(root) / "dev" / "shm").symlink_to(f"{SCRATCH}/.shm")
    for name in ("old", SCRATCH.strip("/")):
        (Path(root) / name).mkdir(exist_ok=True)
    os.chdir(root)
    libc.pivot_root(".", "old")
    os.chroot(".")
    os.chdir("/")
    libc.detach("/old")
    Path("/old").rmdir()
    libc.mount("none", "/", None, libc.MS_BIND | libc.MS_RDONLY | _REMOUNT | libc.MS_NOSUID | libc.MS_NODEV)


def mount_private(megabytes: int) -> None:
    """Mount what belongs to one box alone: an empty scratch folder in memory, and its own processes' /proc."""
    flags = libc.MS_NOSUID | libc.MS_NODEV
    below = [path for path in readable() if Path(SCRATCH) in path.parents]  # a checkout in /tmp stays in view
    handles = [os.open(path, os.O_PATH) for path in below]
    libc.mount("none", SCRATCH, "tmpfs", flags, f"mode=1777,size={megabytes}m,nr_inodes=10k")
    for path, handle in zip(below, handles, strict=True):
        path.mkdir(parents=True)
        libc.mount(f"/proc/self/fd/{handle}", str(path), None, libc.MS_BIND | libc.MS_REC)
        os.close(handle)
    Path(SCRATCH, ".shm").mkdir()
    Path(SCRATCH, ".shm").chmod(0o1777)  # whatever the grader's umask is: DataLoader's workers meet there
    try:
        libc.mount("none", "/proc", "proc", flags | libc.MS_NOEXEC)
    except OSError:  # a container that hides parts of /proc lets nobody mount a whole one: then none at all
        libc.mount("none", "/proc", "tmpfs", flags | libc.MS_RDONLY, "size=4k")
