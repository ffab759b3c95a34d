"""Lab 1, the check on the kernel corner: exercise 1.13."""

from __future__ import annotations

from typing import Any

import torch

from efficientlab.exercises.cases import random_tensors, tensor_of
from efficientlab.exercises.contract import Check, Values
from efficientlab.exercises.guarded import UNWRITTEN, Guarded, kernel_judge, run_kernel


def _drive_norm_relu_kernel(norm_relu_kernel: Any, case: Values) -> Values:
    x = tensor_of(case, "x")
    n, channels, height, width = x.shape
    pixels, block = height * width, 16
    guard = x.numel() + n * channels * block  # what a wrong place or a forgotten mask can reach
    source, target = Guarded(x, guard, 7.0), Guarded(torch.full_like(x, UNWRITTEN), guard, 1e3)
    weight, bias = (Guarded(tensor_of(case, name), guard, 9.0) for name in ("weight", "bias"))
    arguments = (source, target, weight, bias, channels, pixels, case["eps"])
    return run_kernel(norm_relu_kernel, (n * channels,), arguments, target, block, "out")


def _inputs_norm_relu_kernel(seed: int) -> list[Values]:
    randn = random_tensors(seed)
    return [
        {
            # every other pixel is brighter, so that no channel's variance is small beside its mean
            "x": randn(n, c, h, w) + 3.0 * (torch.arange(h * w) % 2).view(h, w),
            "weight": randn(c).abs() + 0.5,  # so that the ReLU leaves about half of the numbers
            "bias": 0.5 * randn(c).abs(),
            "eps": eps,
        }
        for n, c, h, w, eps in ((2, 3, 3, 4, 1e-5), (1, 2, 4, 4, 0.5), (3, 1, 1, 5, 1e-5), (2, 2, 3, 3, 0.1))
    ]


NORM_RELU_KERNEL = Check(
    name="norm_relu_kernel",
    drive=_drive_norm_relu_kernel,
    inputs=_inputs_norm_relu_kernel,
    judge=kernel_judge("out", "the normalised tensor"),
)
