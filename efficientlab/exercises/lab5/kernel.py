"""Lab 5, the check on the kernel corner: exercise 5.10."""

from __future__ import annotations

from typing import Any

import torch

from efficientlab.exercises.cases import random_tensors, tensor_of
from efficientlab.exercises.contract import (
    Check,
    Values,
)
from efficientlab.exercises.guarded import Guarded, kernel_judge, run_kernel

# 5.10 · kernel corner


def _drive_voxelize_kernel(voxelize_kernel: Any, case: Values) -> Values:
    x, voxel, weight = (tensor_of(case, name) for name in ("x", "voxel", "weight"))
    points, channels = x.shape
    block = 4
    guard = x.numel() + points * block  # what a wrong place or a forgotten mask can reach
    source = Guarded(x, guard)
    target = Guarded(torch.zeros(int(case["voxels"]), channels), guard, 1e3)
    grid = (points, (channels + block - 1) // block)
    arguments = (source, Guarded(voxel, guard, 0), Guarded(weight, guard), target, channels)
    return run_kernel(voxelize_kernel, grid, arguments, target, block, "voxels")


def _inputs_voxelize_kernel(seed: int) -> list[Values]:
    randn = random_tensors(seed)
    generator = torch.Generator().manual_seed(seed)
    cases: list[Values] = []
    for points, channels, voxels in ((9, 4, 3), (7, 6, 4), (5, 3, 2), (6, 9, 4)):
        voxel = torch.randint(voxels, (points,), generator=generator)
        voxel[:2] = voxels - 1  # two points in one voxel, in every case
        weight = torch.bincount(voxel, minlength=voxels)[voxel].float().reciprocal()
        cases.append({"x": randn(points, channels), "voxel": voxel.int(), "weight": weight, "voxels": voxels})
    return cases


VOXELIZE_KERNEL = Check(
    name="voxelize_kernel",
    drive=_drive_voxelize_kernel,
    inputs=_inputs_voxelize_kernel,
    judge=kernel_judge("voxels", "the tensor of voxels (voxel, channel)", mask="addition", sums=True),
)
