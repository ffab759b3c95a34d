"""Lab 7, the check on the kernel corner: exercise 7.15."""

from __future__ import annotations

from typing import Any

import torch

from efficientlab.exercises.cases import random_tensors, tensor_of
from efficientlab.exercises.contract import Check, Values
from efficientlab.exercises.guarded import UNWRITTEN, Guarded, kernel_judge, run_kernel

# 7.15 · pooling by intervals


def _drive_pool_kernel(bev_pool_kernel: Any, case: Values) -> Values:
    depth, features, pixel, starts = (tensor_of(case, k) for k in ("depth", "features", "pixel", "starts"))
    channels, block = features.shape[1], int(case["block"])
    cells = len(starts) - 1
    guard = features.numel() + cells * channels + block  # what a wrong place or a forgotten mask can reach
    target = Guarded(torch.full((cells, channels), UNWRITTEN), guard, 1e3)
    arguments = (
        Guarded(depth, guard),
        Guarded(features, guard),
        Guarded(pixel, guard, 0),
        Guarded(starts, guard, 0),
        target,
        channels,
    )
    grid = (cells, (channels + block - 1) // block)
    return run_kernel(bev_pool_kernel, grid, arguments, target, block, "pooled")


def _inputs_pool_kernel(seed: int) -> list[Values]:
    randn = random_tensors(seed)
    generator = torch.Generator().manual_seed(seed)
    cases: list[Values] = []
    for pixels, channels, counts, block in (
        (5, 4, (3, 0, 2), 4),
        (4, 6, (1, 4), 4),
        (3, 3, (2, 2), 2),
        (6, 9, (0, 3, 1), 8),
    ):
        points = sum(counts)
        cases.append(
            {
                "depth": torch.rand(points, generator=generator) + 0.2,
                "features": randn(pixels, channels),
                "pixel": torch.randint(pixels, (points,), generator=generator).int(),
                "starts": torch.tensor([0, *torch.tensor(counts).cumsum(0).tolist()]).int(),
                "block": block,
            }
        )
    return cases


POOL_KERNEL = Check(
    name="bev_pool_kernel",
    drive=_drive_pool_kernel,
    inputs=_inputs_pool_kernel,
    judge=kernel_judge("pooled", "the tensor of pooled features (cell, channel)"),
)
