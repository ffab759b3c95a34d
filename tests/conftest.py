"""Without a GPU, kernels run in Triton's interpreter, which has to be chosen before anything imports Triton.

`efficientlab.exercises` chooses it. Tests that compile run in a process of their own (tests/kernels/test_aot.py).
"""

import os

if "EFFICIENTLAB_AOT" not in os.environ:
    import efficientlab.exercises  # noqa: F401
