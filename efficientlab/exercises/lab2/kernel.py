"""Lab 2, the check on the kernel corner: exercise 2.14."""

from __future__ import annotations

from typing import Any

import torch

from efficientlab.exercises.cases import random_tensors, tensor_of
from efficientlab.exercises.contract import Check, Values
from efficientlab.exercises.guarded import UNWRITTEN, Guarded, kernel_judge, run_kernel


def _drive_epilogue_kernel(epilogue_kernel: Any, case: Values) -> Values:
    x = tensor_of(case, "x")
    n, channels, height, width = x.shape
    pixels, block = height * width, int(case["block"])
    # what a forgotten mask, or rows taken to be a block apart, can reach
    guard = n * channels * block + pixels
    source, target = Guarded(x, guard), Guarded(torch.full_like(x, UNWRITTEN), guard)
    # room for one number a row: a wrong channel reads a wrong number and no foreign memory
    energy = Guarded(tensor_of(case, "energy"), guard, 9.0)
    bias = Guarded(tensor_of(case, "bias"), n * channels, 9.0)
    arguments = (source, target, energy, bias, channels, pixels)
    return run_kernel(epilogue_kernel, (n * channels,), arguments, target, block, "out")


def _inputs_epilogue_kernel(seed: int) -> list[Values]:
    randn = random_tensors(seed)
    cases: list[Values] = [
        {
            "x": 2 * randn(n, c, h, w),
            "energy": randn(n, c).square() + least,
            "bias": 0.5 + 0.5 * randn(c).abs(),  # so that at least half of a channel is above zero
            "block": block,
        }
        for n, c, h, w, least, block in (
            (2, 3, 3, 4, 0.1, 16),
            (1, 2, 4, 4, 0.5, 16),
            (3, 1, 1, 5, 0.1, 8),
            (2, 4, 3, 6, 1.0, 32),
        )
    ]
    faint: Values = {
        "x": 1e-4 * randn(2, 2, 3, 3),
        "energy": 1e-10 * (randn(2, 2).abs() + 0.5),
        "bias": randn(2).abs(),
        "block": 16,
    }
    return [*cases, faint]  # energies smaller than the ε


EPILOGUE_KERNEL = Check(
    name="epilogue_kernel",
    drive=_drive_epilogue_kernel,
    inputs=_inputs_epilogue_kernel,
    judge=kernel_judge("out", "the finished tensor"),
)
