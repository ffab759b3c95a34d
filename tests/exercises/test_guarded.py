"""What may be launched as a learner's kernel, and that whatever is launched is watched."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("triton")

from efficientlab.exercises.contract import CheckFailed, run_check
from efficientlab.exercises.labs import find_lab
from efficientlab.exercises.student import local_student
from efficientlab.grading.reading.cell import Cell
from efficientlab.grading.running.workspace import Workspace

LAUNCHES_ITSELF = """
from triton.runtime.jit import KernelInterface

class Mine(KernelInterface):
    def run(self, x, y, n_frames, channels, pixels, fold, BLOCK, **rest):
        clip = x.reshape(-1, n_frames, channels, *x.shape[2:])
        out = torch.zeros_like(clip)
        out[:, :-1, :fold] = clip[:, 1:, :fold]
        out[:, 1:, fold : 2 * fold] = clip[:, :-1, fold : 2 * fold]
        out[:, :, 2 * fold :] = clip[:, :, 2 * fold :]
        y.copy_(out.reshape(y.shape))

shift_kernel = Mine()
"""
WRAPPED = """
from efficientlab.exercises.kernel_corner import tl, triton

@triton.heuristics({"UNUSED": lambda arguments: 1})
@triton.jit
def shift_kernel(x_ptr, y_ptr, n_frames, channels, pixels, fold, BLOCK: tl.constexpr, UNUSED: tl.constexpr):
    row = tl.program_id(0)
    channel = row % channels
    source = (row // channels) % n_frames + tl.where(channel < fold, 1, tl.where(channel < 2 * fold, -1, 0))
    step = source - (row // channels) % n_frames
    pixel = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    mask = (source >= 0) & (source < n_frames) & (pixel < MOST)
    value = tl.load(x_ptr + (row + step * channels) * pixels + pixel, mask=mask, other=0.0)
    tl.store(y_ptr + row * pixels + pixel, value, mask=pixel < pixels)
"""


def check(source: str) -> int:
    lab = find_lab(4)
    exercise = lab["4.10"].check
    assert exercise is not None
    answer: Any = Workspace(lab, ["import torch"], [Cell(1, source, ("4.10",))]).answer("4.10")
    return run_check(exercise, local_student(exercise, answer), lab.recorded("4.10"))


def test_what_launches_by_itself_is_no_kernel() -> None:
    with pytest.raises(CheckFailed, match="is no Triton kernel"):
        check(LAUNCHES_ITSELF)


def test_a_wrapped_kernel_is_one_and_is_watched() -> None:
    assert check(WRAPPED.replace("MOST", "pixels")) == 3
    with pytest.raises(CheckFailed, match="read beyond its end"):
        check(WRAPPED.replace("MOST", "1000"))
