"""Makes sessions of its own, by which the processors are shared out: of a hundred, other boxes would get the rest."""

import os
import subprocess
import sys


def clip_logits(backbone, video):
    told, tell = os.pipe()
    if os.fork() == 0:
        os.setsid()
        os.write(tell, b"own" if os.getsid(0) == os.getpid() else b"box's")
        os._exit(0)
    if os.read(told, 9) == b"own":
        raise RuntimeError("LEAK of processor time")
    asks = "import os; print(os.getsid(0) == os.getpid())"
    started = subprocess.run([sys.executable, "-c", asks], capture_output=True, start_new_session=True)
    if started.stdout.strip() != b"False":
        raise RuntimeError(f"LEAK of processor time: {started}")
    return None
