"""Hangs inside one call of C code, where no Python exception arrives."""

import re


def clip_logits(backbone, video):
    return re.match(r"(a|a)*b", "a" * 60)
