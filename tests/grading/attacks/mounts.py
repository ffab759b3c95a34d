"""Mounts, unmounts, and changes its root."""

import ctypes

LIBC = ctypes.CDLL(None, use_errno=True)


def clip_logits(backbone, video):
    calls = (
        LIBC.mount(b"none", b"/tmp", b"tmpfs", 0, None),
        LIBC.umount2(b"/tmp", 2),
        LIBC.umount2(b"/proc", 2),
        LIBC.chroot(b"/tmp"),
        LIBC.mount(None, b"/", None, 32, None),
        LIBC.syscall(428, -100, b"/", 1),
    )
    if any(result >= 0 for result in calls):
        raise RuntimeError(f"LEAK {calls}")
    return None
