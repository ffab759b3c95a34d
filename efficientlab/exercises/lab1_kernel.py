"""Lab 1, the check on the kernel corner: exercise 1.13."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from efficientlab.exercises.contract import Check, Values, values_judge
from efficientlab.exercises.lab1_losses import random_tensors, tensor_of


def _drive_norm_relu_kernel(norm_relu_kernel: Any, case: Values) -> Values:
    x = tensor_of(case, "x")
    device = "cuda" if torch.cuda.is_available() else "cpu"
    n, channels, height, width = x.shape
    pixels, block = height * width, 16
    guard = block + pixels  # what a forgotten mask can reach stays inside the buffers

    def guarded(values: Tensor, outside: float) -> tuple[Tensor, Tensor]:
        """A buffer, and the tensor in the middle of it."""
        buffer = torch.full((values.numel() + 2 * guard,), outside, device=device)
        inner = buffer[guard:-guard].view(values.shape)
        inner.copy_(values)
        return buffer, inner

    source, x = guarded(x, 7.0)
    target, y = guarded(torch.full_like(x, -1e3), 1e3)
    (
        weight,
        bias,
    ) = (  # with room behind them, so that a wrong channel reads a wrong number and no foreign memory
        torch.cat([tensor_of(case, name), torch.full((n * channels,), 9.0)]).to(device)
        for name in ("weight", "bias")
    )
    before = source.clone()
    norm_relu_kernel[(n * channels,)](x, y, weight, bias, channels, pixels, case["eps"], BLOCK=block)
    margins = torch.cat([target[:guard], target[-guard:]])
    return {
        "out": y.cpu().clone(),
        "x_changed": not torch.equal(source, before),
        "wrote_outside": bool((margins != 1e3).any()),
    }


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
    judge=values_judge(
        {
            "out": "the normalised tensor",
            "x_changed": "the kernel wrote to its input",
            "wrote_outside": "the kernel wrote beyond the end of y: mask the store, too",
        }
    ),
)
