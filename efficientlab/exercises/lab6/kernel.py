"""Lab 6's check of its kernel corner (6.15)."""

from __future__ import annotations

from typing import Any

import torch

from efficientlab.exercises.cases import random_tensors, tensor_of
from efficientlab.exercises.contract import Check, Values
from efficientlab.exercises.guarded import Guarded, kernel_judge, run_kernel


def _drive_gather_multiply_kernel(gather_multiply_kernel: Any, case: Values) -> Values:
    x, weight, pairs = (tensor_of(case, key) for key in ("x", "weight", "pairs"))
    channels, outputs = weight.shape[1:]
    block = int(case["block"])
    guard = weight.numel() + len(pairs) * (
        block + outputs
    )  # what a wrong place or a forgotten mask can reach
    y = Guarded(torch.zeros(int(case["outputs"]), outputs), guard, 1e3)
    ends = (Guarded(column.int(), guard, 0) for column in pairs.unbind(1))
    arguments = (Guarded(x, guard), Guarded(weight, guard), *ends, y, channels, outputs)
    grid = (len(pairs), (outputs + block - 1) // block)
    return run_kernel(gather_multiply_kernel, grid, arguments, y, block, "y")


def _inputs_gather_multiply_kernel(seed: int) -> list[Values]:
    randn = random_tensors(seed)
    generator = torch.Generator().manual_seed(seed)
    cases: list[Values] = []
    for rows, channels, outputs, offsets, pairs, block in (
        (5, 3, 4, 3, 9, 4),
        (4, 2, 6, 4, 8, 4),
        (3, 5, 3, 2, 6, 2),
        (4, 3, 9, 2, 7, 8),
    ):
        drawn = [torch.randint(n, (pairs,), generator=generator) for n in (offsets, rows, rows)]
        drawn[2][:2] = rows - 1  # two products for one voxel, in every case
        cases.append(
            {
                "x": randn(rows, channels),
                "weight": randn(offsets, channels, outputs),
                "pairs": torch.stack(drawn, 1),
                "outputs": rows,
                "block": block,
            }
        )
    return cases


GATHER_MULTIPLY_KERNEL = Check(
    name="gather_multiply_kernel",
    drive=_drive_gather_multiply_kernel,
    inputs=_inputs_gather_multiply_kernel,
    judge=kernel_judge("y", "y (voxel, channel)", mask="addition", sums=True),
)
