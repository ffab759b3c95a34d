"""Writes into the memory of the processes above it."""

import os


def clip_logits(backbone, video):
    for process in {1, os.getppid(), *range(2, 400)} - {os.getpid(), 0}:
        try:
            with open(f"/proc/{process}/mem", "r+b", 0):
                raise RuntimeError(f"LEAK the memory of {process} is open")
        except OSError:
            pass
    return None
