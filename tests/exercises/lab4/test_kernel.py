"""Who wrote the kernel corner's target: a Triton kernel, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from efficientlab.exercises import goldens
from efficientlab.exercises.contract import CheckFailed, run_check
from efficientlab.exercises.lab4 import lab
from efficientlab.exercises.student import local_student

triton = pytest.importorskip("triton")
tl = pytest.importorskip("triton.language")

if torch.cuda.is_available():
    pytest.skip("there is nothing to watch where kernels are compiled", allow_module_level=True)


@triton.jit
def fills_rows(x_ptr, y_ptr, n_frames, channels, pixels, fold, BLOCK: tl.constexpr):  # type: ignore[no-untyped-def]
    pixel = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    tl.store(y_ptr + tl.program_id(0) * pixels + pixel, 0.0, mask=pixel < pixels)


@triton.jit
def stores_one(x_ptr, y_ptr, n_frames, channels, pixels, fold, BLOCK: tl.constexpr):  # type: ignore[no-untyped-def]
    tl.store(y_ptr, 0.0)


@triton.jit
def stores_nothing(x_ptr, y_ptr, n_frames, channels, pixels, fold, BLOCK: tl.constexpr):  # type: ignore[no-untyped-def]
    tl.load(x_ptr)


@pytest.mark.parametrize("kernel", [fills_rows, stores_one, stores_nothing], ids=lambda k: k.fn.__name__)
def test_what_torch_writes_into_the_target_is_not_the_kernels(
    kernel: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    launch = kernel.run

    def run(x: Any, y: Any, n_frames: int, channels: int, pixels: int, fold: int, **options: Any) -> None:
        launch(x, y, n_frames, channels, pixels, fold, **options)
        clips = x.unflatten(0, (-1, n_frames))
        shifted = torch.zeros_like(clips)
        shifted[:, :-1, :fold] = clips[:, 1:, :fold]
        shifted[:, 1:, fold : 2 * fold] = clips[:, :-1, fold : 2 * fold]
        shifted[:, :, 2 * fold :] = clips[:, :, 2 * fold :]
        y.copy_(shifted.flatten(0, 1))

    check = lab["4.10"].check
    assert check is not None
    monkeypatch.setattr(kernel, "run", run, raising=False)
    with pytest.raises(CheckFailed, match="filled by something else than the kernel"):
        run_check(check, local_student(check, kernel), goldens.load(lab.slug)["4.10"])
