"""Asks what others do with files that every box can read: by inotify, signals, leases, pages that are in memory."""

import ctypes
import fcntl
import os


def clip_logits(backbone, video):
    libc = ctypes.CDLL(None)
    folder = os.path.dirname(os.__file__)
    watch = libc.inotify_init1(0)
    if watch >= 0 and libc.inotify_add_watch(watch, folder.encode(), 0xFFF) >= 0:
        raise RuntimeError("LEAK a box can see which files others open")
    for path, request, value in (
        (folder, fcntl.F_NOTIFY, fcntl.DN_ACCESS),
        (os.__file__, fcntl.F_SETLEASE, fcntl.F_RDLCK),
    ):
        handle = os.open(path, os.O_RDONLY)
        try:
            fcntl.fcntl(handle, request, value)
        except OSError:
            continue
        raise RuntimeError(f"LEAK a box has word of what others do with {path}")
    try:
        with open(os.__file__, "rb") as file:
            os.preadv(file.fileno(), [bytearray(1)], 0, os.RWF_NOWAIT)
    except OSError:
        return None
    raise RuntimeError("LEAK a box can see what others have read")
