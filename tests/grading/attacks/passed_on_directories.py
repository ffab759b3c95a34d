"""Climbs out of its root with relative paths and /proc/*/root."""

import os
import sys

import efficientlab

# folders above these are there, with these in them
OURS = (sys.prefix, sys.base_prefix, efficientlab.__file__)


def clip_logits(backbone, video):
    for path in ("/../" * 20, "/proc/1/root/", "/proc/self/root/", "/proc/1/cwd/"):
        for name in ("home", "var", "opt", "boot", "etc/shadow", "etc/ssh"):
            if any(place.startswith(f"/{name}/") for place in OURS):
                continue
            if os.path.exists(path + name) and (
                not os.path.isdir(path + name) or os.access(path + name, os.R_OK)
            ):
                try:
                    if os.listdir(path + name):
                        raise RuntimeError(f"LEAK {path + name}: {os.listdir(path + name)[:9]}")
                except OSError:
                    pass
    return None
