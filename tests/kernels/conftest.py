"""Triton's interpreter, for the kernels' tests, without what it computes and throws away."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest


@pytest.fixture(scope="session", autouse=True)
def no_sums_in_64_bits_that_nobody_looks_at() -> None:
    """It does each sum of integers again in 64 bits to assert that it fits, and asserts only where it debugs."""
    if os.environ.get("TRITON_INTERPRET") == "1":
        interpreter = pytest.importorskip("triton.runtime.interpreter")
        builder = interpreter.interpreter_builder
        assert not builder.options.debug
        builder.options = replace(builder.options, sanitize_overflow=False)
