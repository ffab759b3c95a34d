"""Every Triton kernel, run by Triton's interpreter through the tests of its op.

TRITON_INTERPRET must be set before Triton is imported, hence another process.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("triton")

OPS = ["shift", "shifted_conv", "voxel"]


@pytest.mark.parametrize("op", OPS)
def test_the_op_s_tests_pass_on_its_triton_kernel(op):
    file = Path(__file__).with_name(f"test_{op}.py")
    environment = os.environ | {
        "TRITON_INTERPRET": "1",
        "EFFICIENTLAB_KERNELS": "triton",
        "OMP_NUM_THREADS": "1",
    }
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", str(file)]
    run = subprocess.run(
        [*command, "-k", "not compile and not opcheck and not sentence"],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout + run.stderr
