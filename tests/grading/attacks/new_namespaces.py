"""Makes a user namespace of its own, to be root and mount in it."""

import ctypes

LIBC = ctypes.CDLL(None, use_errno=True)


def clip_logits(backbone, video):
    for flags in (0x10000000, 0x10020000, 0x00020000, 0x40000000):
        if LIBC.unshare(flags) == 0:
            raise RuntimeError("LEAK a namespace was made")
        child = LIBC.syscall(56, flags | 17, 0, 0, 0, 0)
        if child == 0:
            LIBC._exit(0)
        if child > 0:
            raise RuntimeError("LEAK a namespace was cloned")
    return None
