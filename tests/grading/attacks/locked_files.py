"""Locks places of a file that every box can read: another box that asks for them reads what this one writes so."""

import fcntl
import os


def clip_logits(backbone, video):
    def is_locked(take):
        with open(os.__file__, "rb") as mine, open(os.__file__, "rb") as others:
            take(mine, 0)
            if os.fork() == 0:
                try:
                    take(others, fcntl.LOCK_NB)
                    os._exit(0)
                except OSError:
                    os._exit(1)
            return os.wait()[1] != 0

    if is_locked(lambda file, more: fcntl.flock(file, fcntl.LOCK_EX | more)):
        raise RuntimeError("LEAK a lock of one process was seen by another")
    with open(os.__file__, "rb") as file:
        fcntl.lockf(file, fcntl.LOCK_SH, 1, 1234)
        asked = bytes(fcntl.F_WRLCK.to_bytes(2, "little")) + bytes(30)
        if os.fork() == 0:
            answer = fcntl.fcntl(file, fcntl.F_GETLK, asked)
            os._exit(int.from_bytes(answer[16:24], "little") == 1)  # the length of what is locked
        if os.wait()[1] != 0:
            raise RuntimeError("LEAK the place of a lock was seen by another process")
    return None
