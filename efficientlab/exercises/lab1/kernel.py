"""Lab 1, the check on the kernel corner: exercise 1.13."""

from __future__ import annotations

from typing import Any

import torch

from efficientlab.exercises.cases import random_tensors, tensor_of
from efficientlab.exercises.contract import Check, Values
from efficientlab.exercises.guarded import UNWRITTEN, Guarded, kernel_judge, kernel_result


def _drive_norm_relu_kernel(norm_relu_kernel: Any, case: Values) -> Values:
    x = tensor_of(case, "x")
    n, channels, height, width = x.shape
    pixels, block = height * width, 16
    guard = block + pixels  # what a forgotten mask can reach
    source, target = Guarded(x, guard, 7.0), Guarded(torch.full_like(x, UNWRITTEN), guard, 1e3)
    # room for one number a row: a wrong channel reads a wrong number and no foreign memory
    weight, bias = (Guarded(tensor_of(case, name), n * channels, 9.0) for name in ("weight", "bias"))
    norm_relu_kernel[(n * channels,)](
        source.inner, target.inner, weight.inner, bias.inner, channels, pixels, case["eps"], BLOCK=block
    )
    return kernel_result("out", source, target)


def _inputs_norm_relu_kernel(seed: int) -> list[Values]:
    randn = random_tensors(seed)
    return [
        {
            "x": 2 * randn(n, c, h, w) + 3,
            "weight": randn(c),
            "bias": randn(c),
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
