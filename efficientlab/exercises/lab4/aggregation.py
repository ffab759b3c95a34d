"""Lab 4, the check on frame aggregation: exercise 4.1."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from efficientlab.exercises.cases import random_tensors
from efficientlab.exercises.contract import (
    Check,
    Values,
    returned_tensor,
    values_judge,
)

# 4.1 · frame aggregation


def _drive_clip_logits(clip_logits: Any, case: Values) -> Values:
    video, weight = case["video"], case["weight"]
    assert isinstance(video, Tensor) and isinstance(weight, Tensor)

    def backbone(frames: Tensor) -> Tensor:
        return torch.tanh(frames.flatten(1) @ weight.T)  # (n, C, H, W) → (n, K)

    before = video.clone()
    weight.requires_grad_()
    logits = returned_tensor(clip_logits(backbone, video))
    return {
        "logits": logits.detach(),
        "video_changed": not torch.equal(video, before),
        "trainable": logits.grad_fn is not None,  # a new parameter requires a gradient, and passes none on
    }


def _inputs_clip_logits(seed: int) -> list[Values]:
    randn = random_tensors(seed)
    cases: list[Values] = []
    for n, t in ((2, 3), (3, 2), (1, 1), (2, 4)):
        cases.append({"video": randn(n, t, 3, 2, 2), "weight": randn(5, 12) / 2})
    cases.append(
        {"video": randn(4, 2, 3, 2, 2).transpose(0, 1), "weight": randn(5, 12) / 2}
    )  # not contiguous
    return cases


CLIP_LOGITS = Check(
    name="clip_logits",
    drive=_drive_clip_logits,
    inputs=_inputs_clip_logits,
    judge=values_judge(
        {
            "logits": "the tensor of clip logits",
            "video_changed": "the video that you were given was changed",
            "trainable": "the logits are right but no gradient comes through them: the network could not be trained",
        }
    ),
)
