"""Looks for capabilities that it kept."""


def clip_logits(backbone, video):
    for line in open("/proc/self/status"):
        if line.startswith(("CapEff", "CapPrm", "CapInh", "CapAmb")) and int(line.split()[1], 16):
            raise RuntimeError("LEAK " + line)
        if line.startswith(("NoNewPrivs:\t0", "Seccomp:\t0")):
            raise RuntimeError("LEAK " + line)
    return None
