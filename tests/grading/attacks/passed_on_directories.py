"""Climbs out of its root with relative paths and /proc/*/root."""

import os


def clip_logits(backbone, video):
    for path in ("/../" * 20, "/proc/1/root/", "/proc/self/root/", "/proc/1/cwd/"):
        for name in ("home", "var", "opt", "boot", "etc/shadow", "etc/ssh"):
            if os.path.exists(path + name) and (
                not os.path.isdir(path + name) or os.access(path + name, os.R_OK)
            ):
                try:
                    if os.listdir(path + name):
                        raise RuntimeError(f"LEAK {path + name}: {os.listdir(path + name)[:9]}")
                except OSError:
                    pass
    return None
