"""Triton decides when it is first imported whether its own functions, such as `tl.sum`, are interpreted.

`efficientlab.exercises` chooses the interpreter where there is no GPU, so it is imported here, before a test can import
Triton otherwise. Tests that compile run in a process of their own (tests/kernels/test_aot.py).
"""

import os
from importlib import import_module
from importlib.util import find_spec

if find_spec("triton") and "EFFICIENTLAB_AOT" not in os.environ:
    before = os.environ.get("TRITON_INTERPRET")
    import_module("efficientlab.exercises")  # first: it decides
    import_module("triton.language")
    if before is None:
        os.environ.pop("TRITON_INTERPRET", None)
