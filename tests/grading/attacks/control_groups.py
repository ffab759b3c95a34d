"""Raises its own limits, or leaves its control group."""

import os
import resource


def clip_logits(backbone, video):
    for path in (
        "/sys/fs/cgroup/memory/cgroup.procs",
        "/sys/fs/cgroup/cgroup.procs",
        "/sys/fs/cgroup/pids/cgroup.procs",
    ):
        try:
            with open(path, "w") as file:
                file.write(str(os.getpid()))
            raise RuntimeError("LEAK left its control group")
        except OSError:
            pass
    for kind in (resource.RLIMIT_AS, resource.RLIMIT_NPROC, resource.RLIMIT_FSIZE, resource.RLIMIT_CPU):
        try:
            resource.setrlimit(kind, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        except (OSError, ValueError):
            continue
        raise RuntimeError("LEAK raised a limit")
    return None
