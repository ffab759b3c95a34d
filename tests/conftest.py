"""Without a GPU, kernels run in Triton's interpreter, which has to be chosen before anything imports Triton.

`efficientlab.exercises` chooses it. Tests that compile run in a process of their own (tests/kernels/test_aot.py).
"""

import os
import sys

import pytest

# Where it is installed, jsonschema, and so nbformat, takes a second or more to build a grammar of addresses with it. No
# notebook's schema asks for one.
sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]


def pytest_configure(config: pytest.Config) -> None:
    distributes = config.getoption("dist", "no") != "no"  # to workers: it runs no test and needs no torch
    if "EFFICIENTLAB_AOT" not in os.environ and not distributes:
        import efficientlab.exercises  # noqa: F401
