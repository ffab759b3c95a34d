"""Triton for the kernel corners: `from efficientlab.exercises.kernel_corner import tl, triton`.

Triton exists for Linux alone. Elsewhere these two names are stand-ins: a kernel can be written with them, but not
launched, and the rest of the lab runs as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

MISSING = "Triton is not installed here (it needs Linux), so no kernel can be launched."

try:
    import triton
    import triton.language as tl
except ModuleNotFoundError:

    class _Unlaunchable:
        """What `triton.jit` makes without Triton."""

        def __init__(self, fn: Callable[..., None]) -> None:
            self.__doc__ = fn.__doc__

        def __getitem__(self, grid: Any) -> Callable[..., None]:
            raise ModuleNotFoundError(MISSING)

    triton = SimpleNamespace(jit=_Unlaunchable)
    tl = SimpleNamespace(constexpr=int)
