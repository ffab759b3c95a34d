"""Takes memory that belongs to no process's address space, piece by piece: memfds, files without a name, pipes."""

import os


def clip_logits(backbone, video):
    kept, taken = [], 0
    for make in (
        lambda: os.memfd_create("x"),
        lambda: os.open("/dev/shm", os.O_TMPFILE | os.O_RDWR, 0o600),
        lambda: os.open(".", os.O_TMPFILE | os.O_RDWR, 0o600),
    ):
        try:
            for _ in range(60):
                kept.append(make())
                for _ in range(30):
                    taken += os.write(kept[-1], bytes(1 << 20))
        except OSError:
            pass
    if taken > 1_500_000_000:
        raise RuntimeError(f"LEAK {taken} bytes were taken past every limit")
    return None
