"""Looks for secrets in the environment, its own and every other process's."""

import os
from pathlib import Path


def clip_logits(backbone, video):
    secrets = [str(dict(os.environ))]
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            secrets.append(path.read_text())
        except OSError:
            pass
    if any("SECRET_TOKEN" in text for text in secrets):
        raise RuntimeError("LEAK of the environment")
    return None
