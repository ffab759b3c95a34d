"""Lab 4, the checks on the temporal shift and its place in a block: exercises 4.2, 4.3 and 4.11."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from efficientlab.exercises.cases import but_defaults, drawn_state, random_tensors, state_of
from efficientlab.exercises.contract import (
    AnswerError,
    Check,
    Values,
    returned_tensor,
    values_judge,
)
from efficientlab.exercises.gradients import gradient
from efficientlab.exercises.lab4.elsewhere import Elsewhere

# 4.2 · the temporal shift


def _drive_temporal_shift(temporal_shift: Any, case: Values) -> Values:
    leaf, upstream = case["x"], case["upstream"]
    assert isinstance(leaf, Tensor) and isinstance(upstream, Tensor)
    leaf.requires_grad_()
    x = leaf * 1.0  # not a leaf, so that a shift in place runs and can be shown for what it is
    before = x.detach().clone()
    defaults: Values = {"fold_div": 8, "causal": False}
    options = but_defaults(defaults, fold_div=case["fold_div"], causal=case["causal"])
    y = returned_tensor(temporal_shift(x, case["n_frames"], **options))
    changed = not torch.equal(x.detach(), before)
    if y.shape != x.shape:
        raise AnswerError("Returned", f"returned shape {tuple(y.shape)} for an x of shape {tuple(x.shape)}.")
    with Elsewhere() as elsewhere:  # on a copy: a shift in place must not show twice
        moved = returned_tensor(temporal_shift(before.clone(), case["n_frames"], **options))
    if elsewhere.failed or elsewhere.is_stray(moved):
        raise AnswerError("Returned", "makes tensors on the default device; make them like x, on its device.")
    slope = gradient(y, leaf, upstream)
    return {"shifted": y.detach(), "trainable": y.requires_grad, "gradient": slope, "x_changed": changed}


def _inputs_temporal_shift(seed: int) -> list[Values]:
    randn = random_tensors(seed)
    cases: list[Values] = []
    for n, t, c, fold_div, causal in (
        (2, 4, 8, 8, False),
        (2, 3, 8, 2, False),  # every channel moves
        (1, 5, 15, 4, False),
        (1, 2, 10, 8, True),
        (3, 1, 8, 8, False),
        (2, 4, 16, 8, True),
        (1, 3, 8, 4, True),
        (1, 4, 6, 8, False),  # fewer channels than fold_div: nothing moves
    ):
        x, upstream = randn(n * t, c, 1, 2), randn(n * t, c, 1, 2)
        cases.append({"x": x, "upstream": upstream, "n_frames": t, "fold_div": fold_div, "causal": causal})
    x = randn(6, 2, 1, 8, dtype=torch.float64).movedim(3, 1)  # not contiguous, double precision
    upstream = randn(6, 8, 2, 1, dtype=torch.float64)
    cases.append({"x": x, "upstream": upstream, "n_frames": 3, "fold_div": 8, "causal": False})
    return cases


TEMPORAL_SHIFT = Check(
    name="temporal_shift",
    drive=_drive_temporal_shift,
    inputs=_inputs_temporal_shift,
    judge=values_judge(
        {
            "shifted": "the shifted tensor",
            "trainable": "the shift is right but no gradient comes through it: was x detached?",
            "gradient": "the gradient with respect to x",
            "x_changed": "the shift is right but x itself was changed",
        }
    ),
)


# 4.3 · where the shift goes in a residual block


def _drive_shifted_block(ShiftedBlock: Any, case: Values) -> Values:
    leaf, upstream, n_frames = case["x"], case["upstream"], case["n_frames"]
    assert isinstance(leaf, Tensor) and isinstance(upstream, Tensor) and isinstance(n_frames, int)

    def shift(x: Tensor) -> Tensor:
        """Even channels take the next frame: a shift that commutes with no layer, so that its place shows."""
        clips = x.unflatten(0, (-1, n_frames))  # (N, T, C, H, W)
        moved = torch.cat([clips[:, 1:], torch.zeros_like(clips[:, :1])], 1)
        even = (torch.arange(x.shape[1]) % 2 == 0).view(1, 1, -1, 1, 1)
        return torch.where(even, moved, clips).flatten(0, 1)

    block = ShiftedBlock(case["in_channels"], case["out_channels"], case["stride"], shift)
    block.load_state_dict(state_of(case), strict=False)
    block.train(bool(case["training"]))
    leaf.requires_grad_()
    x = leaf * 1.0
    before = x.detach().clone()
    y = returned_tensor(block(x))
    slope = gradient(y, leaf, upstream)
    return {"out": y.detach(), "gradient": slope, "x_changed": not torch.equal(x.detach(), before)}


def _inputs_shifted_block(seed: int) -> list[Values]:
    from efficientlab.models.video.resnet import BasicBlock

    randn = random_tensors(seed)
    cases: list[Values] = []
    for c_in, c_out, stride, training in ((4, 4, 1, False), (4, 6, 2, False), (4, 4, 1, True)):
        state = drawn_state(BasicBlock(c_in, c_out, stride), randn)
        case: Values = {
            "x": randn(4, c_in, 4, 4),
            "upstream": randn(4, c_out, 4 // stride, 4 // stride),
            "n_frames": 2,
            "in_channels": c_in,
            "out_channels": c_out,
            "stride": stride,
            "training": training,
        }
        cases.append(case | state)
    return cases


SHIFTED_BLOCK = Check(
    name="ShiftedBlock",
    drive=_drive_shifted_block,
    inputs=_inputs_shifted_block,
    judge=values_judge(
        {
            "out": "the block's output",
            "gradient": "the gradient with respect to the block's input",
            "x_changed": "the output is right but the block's input was changed",
        }
    ),
)


# 4.11 · the 3D kernel inside


def _drive_kernel_in_time(kernel_in_time: Any, case: Values) -> Values:
    leaf, upstream = case["weight"], case["upstream"]
    assert isinstance(leaf, Tensor) and isinstance(upstream, Tensor)
    leaf.requires_grad_()
    weight = leaf * 1.0  # no leaf: an answer that writes into it runs, and can be shown for what it is
    before = weight.detach().clone()
    kernel = returned_tensor(
        kernel_in_time(weight, **but_defaults({"fold_div": 8}, fold_div=case["fold_div"]))
    )
    if kernel.shape != upstream.shape:
        raise AnswerError(
            "Returned",
            f"returned shape {tuple(kernel.shape)} for a weight of shape {tuple(weight.shape)}: "
            "three taps in time are the third dimension.",
        )
    slope = gradient(kernel, leaf, upstream)
    return {
        "kernel": kernel.detach(),
        "trainable": kernel.requires_grad,
        "gradient": slope,
        "weight_changed": not torch.equal(weight.detach(), before),
    }


def _inputs_kernel_in_time(seed: int) -> list[Values]:
    randn = random_tensors(seed)
    return [
        {
            "weight": randn(c_out, c_in, kh, kw, dtype=dtype),
            "upstream": randn(c_out, c_in, 3, kh, kw, dtype=dtype),
            "fold_div": fold_div,
        }
        for c_out, c_in, kh, kw, fold_div, dtype in (
            (2, 8, 3, 3, 8, torch.float32),
            (5, 7, 3, 3, 4, torch.float32),  # 7 // 4 channels each way
            (2, 4, 1, 1, 2, torch.float32),  # every channel moves
            (2, 6, 3, 1, 8, torch.float32),  # none does
            (4, 9, 1, 3, 4, torch.float64),
        )
    ]


KERNEL_IN_TIME = Check(
    name="kernel_in_time",
    drive=_drive_kernel_in_time,
    inputs=_inputs_kernel_in_time,
    judge=values_judge(
        {
            "kernel": "the kernel (output channel, input channel, frame, row, column)",
            "trainable": "the kernel is right but no gradient comes through it: was the weight detached?",
            "gradient": "the gradient with respect to the weight",
            "weight_changed": "the kernel is right but the weight that you were given was changed",
        }
    ),
)
