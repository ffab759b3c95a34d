"""Crashes the interpreter."""

import ctypes


def clip_logits(backbone, video):
    ctypes.string_at(0)
