"""Lab 3, the check on the kernel corner: exercise 3.11."""

from __future__ import annotations

from typing import Any

import torch

from efficientlab.exercises.cases import tensor_of
from efficientlab.exercises.contract import (
    Check,
    Values,
)
from efficientlab.exercises.guarded import UNWRITTEN, Guarded, kernel_judge, run_kernel

# 3.11 · kernel corner


def _drive_kernel(augment_kernel: Any, case: Values) -> Values:
    x, places = tensor_of(case, "x"), tensor_of(case, "places")
    n, channels, height, width = x.shape
    pixels, block = height * width, 8
    guard = x.numel() + n * channels * block  # what a wrong place or a forgotten mask can reach
    source, target = Guarded(x, guard), Guarded(torch.full_like(x, UNWRITTEN), guard, 1e3)
    grid = (n * channels, (pixels + block - 1) // block)
    cut = (case["cut_height"], case["cut_width"])
    arguments = (source, target, Guarded(places, guard, 0), channels, height, width, *cut)
    return run_kernel(augment_kernel, grid, arguments, target, block, "augmented")


def _inputs_kernel(seed: int) -> list[Values]:
    generator = torch.Generator().manual_seed(seed)
    cases: list[Values] = []
    for n, c, h, w in ((2, 1, 6, 3), (3, 2, 4, 6), (2, 3, 3, 5)):
        reach, cut = (2, 1), (h // 2, w // 2)
        shift = [torch.randint(-r, r + 1, (n,), generator=generator) for r in reach]
        corner = [
            torch.randint(-k // 2, s - k // 2 + 1, (n,), generator=generator)
            for k, s in zip(cut, (h, w), strict=True)
        ]
        shift[0][0], shift[1][0] = 2, -1  # at least one picture moves both ways
        corner[0][0], corner[1][0] = -1, w - cut[1] // 2 - 1  # and has a hole that begins above the picture
        corner[0][1], corner[1][1] = 0, -1  # another one begins left of it
        shift[0][1] = shift[1][1] = 0  # and stays, so that no zero from outside hides it
        cases.append(
            {
                "x": torch.randn(n, c, h, w, generator=generator),
                "places": torch.stack([*shift, *corner], 1).to(torch.int32),
                "cut_height": cut[0],
                "cut_width": cut[1],
            }
        )
    return cases


KERNEL = Check(
    name="augment_kernel",
    drive=_drive_kernel,
    inputs=_inputs_kernel,
    judge=kernel_judge("augmented", "the translated and cut picture"),
)
