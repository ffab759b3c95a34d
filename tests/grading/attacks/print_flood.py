"""Prints for ever."""

import os


def clip_logits(backbone, video):
    while True:
        print("x" * 10_000, flush=True)
        os.write(2, b"y" * 10_000)
