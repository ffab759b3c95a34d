"""Becomes root: by calls, by set-user-id programs, by writing identity maps."""

import os
import subprocess


def clip_logits(backbone, video):
    for call in (lambda: os.setuid(0), lambda: os.setresuid(0, 0, 0), lambda: os.setgroups([0])):
        try:
            call()
        except OSError:
            continue
        raise RuntimeError("LEAK became root")
    for command in (
        ["su", "-c", "id"],
        ["sudo", "-n", "id"],
        ["mount", "--bind", "/usr", "/tmp"],
        ["unshare", "-r", "id"],
    ):
        try:
            done = subprocess.run(command, capture_output=True, timeout=2, stdin=subprocess.DEVNULL)
        except (OSError, subprocess.TimeoutExpired):
            continue
        if done.returncode == 0:
            raise RuntimeError(f"LEAK {command} gave {done.stdout}")
    if os.geteuid() == 0:
        raise RuntimeError("LEAK runs as root")
    return None
