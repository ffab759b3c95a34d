"""Lab 0, the check on the kernel corner: exercise 0.10."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch

from efficientlab.exercises.cases import tensor_of
from efficientlab.exercises.contract import (
    Check,
    Values,
)
from efficientlab.exercises.guarded import UNWRITTEN, Guarded, kernel_judge, run_kernel

# 0.10 · kernel corner


def _drive_activation_kernel(activation_kernel: Any, case: Values) -> Values:
    x, scale, shift = (tensor_of(case, name) for name in ("x", "scale", "shift"))
    n, channels, height, width = x.shape
    pixels, block = height * width, 8
    guard = x.numel() + n * channels * block  # what a wrong place or a forgotten mask can reach
    source, target = Guarded(x, guard), Guarded(torch.full_like(x, UNWRITTEN), guard, 1e3)
    factors, summands = Guarded(scale, guard, 5e3), Guarded(shift, guard, -5e3)
    grid = (n * channels, (pixels + block - 1) // block)
    arguments = (source, factors, summands, target, channels, pixels)
    return run_kernel(activation_kernel, grid, arguments, target, block, "activated")


def _inputs_activation_kernel(seed: int) -> list[Values]:
    randn = partial(torch.randn, generator=torch.Generator().manual_seed(seed))
    return [
        {"x": randn(n, c, h, w), "scale": randn(c), "shift": randn(c)}
        for n, c, h, w in ((2, 3, 4, 4), (1, 4, 3, 3), (3, 2, 1, 5))
    ]


ACTIVATION_KERNEL = Check(
    name="activation_kernel",
    drive=_drive_activation_kernel,
    inputs=_inputs_activation_kernel,
    judge=kernel_judge("activated", "the tensor y"),
)
