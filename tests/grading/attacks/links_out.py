"""Writes through links in its scratch folder to files outside."""

import os


def clip_logits(backbone, video):
    for target in (CANARY, "/etc/passwd", "/proc/sys/kernel/core_pattern", "/etc/ld.so.preload"):
        try:
            os.symlink(target, "link")
            with open("link", "w") as file:
                file.write("owned")
            raise RuntimeError("LEAK wrote " + target)
        except OSError:
            pass
        finally:
            if os.path.islink("link"):
                os.unlink("link")
    return None
