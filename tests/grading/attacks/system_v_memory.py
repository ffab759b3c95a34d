"""Takes memory in System V segments, which stay when no process has them mapped any more."""

import ctypes


def clip_logits(backbone, video):
    libc = ctypes.CDLL(None)
    libc.shmat.restype = ctypes.c_void_p
    libc.shmat.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_int]
    libc.shmdt.argtypes = libc.memset.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t]
    taken, size = 0, 100 << 20
    for _ in range(8):
        segment = libc.shmget(0, ctypes.c_size_t(size), 0o1600)
        address = libc.shmat(segment, None, 0) if segment >= 0 else None
        if address in (None, ctypes.c_void_p(-1).value):
            break
        libc.memset(address, 1, size)
        libc.shmdt(address, 0, 0)
        taken += size
    if taken > 700_000_000:
        raise RuntimeError(f"LEAK {taken} bytes were taken past every limit")
    return None
