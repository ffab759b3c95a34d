"""Every Triton kernel, run by Triton's interpreter through the tests of its op.

TRITON_INTERPRET must be set before Triton is imported, hence another process.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("triton")

OPS = [
    "test_shift",
    "test_shifted_conv",
    "test_augment",
    "test_bev",
    "test_means",
    "test_voxel",
    "sparse/test_sparse",
    "sparse/test_sparse_points",
    "points/test_points",
]


@pytest.mark.slow
def test_the_tests_of_every_op_pass_on_its_triton_kernels():
    files = [str(Path(__file__).parent / f"{op}.py") for op in OPS]
    environment = os.environ | {
        "TRITON_INTERPRET": "1",
        "EFFICIENTLAB_KERNELS": "triton",
        "OMP_NUM_THREADS": "1",
    }
    values = "not compile and not opcheck and not sentence"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", values, *files]
    run = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
