"""Every Triton kernel, compiled ahead of time for four GPUs: see compile_ahead.py.

The other tests have Triton's interpreter on, in which nothing can be compiled; hence another process.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("triton")


@pytest.mark.slow
def test_every_kernel_compiles_for_every_gpu() -> None:
    cases = Path(__file__).with_name("compile_ahead.py")
    environment = {k: v for k, v in os.environ.items() if k != "TRITON_INTERPRET"} | {"EFFICIENTLAB_AOT": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-s", "-p", "no:cacheprovider", str(cases)]
    run = subprocess.run(command, env=environment, capture_output=True, text=True)
    print(run.stdout)
    assert run.returncode == 0, run.stdout + run.stderr
