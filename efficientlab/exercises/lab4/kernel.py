"""Lab 4, the check on the kernel corner: exercise 4.10."""

from __future__ import annotations

from typing import Any

import torch

from efficientlab.exercises.cases import random_tensors, tensor_of
from efficientlab.exercises.contract import (
    Check,
    Values,
)
from efficientlab.exercises.guarded import UNWRITTEN, Guarded, kernel_judge, run_kernel

# 4.10 · kernel corner


def _drive_shift_kernel(shift_kernel: Any, case: Values) -> Values:
    x = tensor_of(case, "x")
    frames, channels, height, width = x.shape
    pixels, block = height * width, 8
    guard = x.numel() + frames * channels * block  # what a wrong place or a forgotten mask can reach
    source, target = Guarded(x, guard), Guarded(torch.full_like(x, UNWRITTEN), guard, 1e3)
    grid = (frames * channels, (pixels + block - 1) // block)
    arguments = (source, target, case["n_frames"], channels, pixels, case["fold"])
    return run_kernel(shift_kernel, grid, arguments, target, block, "shifted")


def _inputs_shift_kernel(seed: int) -> list[Values]:
    randn = random_tensors(seed)
    return [
        {"x": randn(n * t, c, h, w), "n_frames": t, "fold": fold}
        for n, t, c, fold, h, w in ((2, 1, 3, 1, 1, 5), (2, 3, 3, 1, 2, 4), (1, 3, 5, 2, 3, 3))
    ]


SHIFT_KERNEL = Check(
    name="shift_kernel",
    drive=_drive_shift_kernel,
    inputs=_inputs_shift_kernel,
    judge=kernel_judge("shifted", "the shifted tensor"),
)
