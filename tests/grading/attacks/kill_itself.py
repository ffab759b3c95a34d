"""Sends itself SIGKILL."""

import os


def clip_logits(backbone, video):
    os.kill(os.getpid(), 9)
    os.abort()
