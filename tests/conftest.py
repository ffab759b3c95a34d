"""Triton decides when it is first imported whether its own functions, such as `tl.sum`, are interpreted.

Without a GPU the tests interpret kernels. So the import happens here, before a test can do it otherwise. Tests that
compile run in a process of their own (tests/kernels/test_aot.py).
"""

import os
from importlib.util import find_spec

import torch

if find_spec("triton") and not torch.cuda.is_available() and "EFFICIENTLAB_AOT" not in os.environ:
    before = os.environ.get("TRITON_INTERPRET")
    os.environ["TRITON_INTERPRET"] = "1"
    import triton.language  # noqa: F401

    if before is None:
        del os.environ["TRITON_INTERPRET"]
