"""Lab 4, the checks on streams: exercises 4.6 and 4.7."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from efficientlab.exercises.cases import but_defaults, random_tensors
from efficientlab.exercises.contract import (
    Check,
    Values,
    returned_tensor,
    values_judge,
)
from efficientlab.exercises.lab4.elsewhere import Elsewhere

# 4.6 · the online shift


def _drive_online_shift(OnlineShift: Any, case: Values) -> Values:
    first, second = case["first"], case["second"]
    assert isinstance(first, Tensor) and isinstance(second, Tensor)
    options = but_defaults({"fold_div": 8}, fold_div=case["fold_div"])
    shift = OnlineShift(**options).train(bool(case["training"]))
    changed = False

    def play(clips: Tensor) -> Tensor:
        """Feed clips (N, T, C, H, W) frame by frame from one buffer, as a camera driver does."""
        nonlocal changed
        buffer = torch.empty_like(clips[:, 0])
        outputs = []
        for t in range(clips.shape[1]):
            buffer.copy_(clips[:, t])
            outputs.append(returned_tensor(shift(buffer)).detach().clone())
            changed |= not torch.equal(buffer, clips[:, t])
        return torch.stack(outputs, 1)

    out: Values = {"first": play(first)}
    other = OnlineShift(**options)
    other(second[:, 0].clone())  # another block's shift must not disturb this one
    out["going_on"] = play(first)
    fold = first.shape[2] // int(case["fold_div"])
    cache = getattr(shift, "cache", None)
    out["no_cache"] = not isinstance(cache, Tensor)
    out["cached"] = isinstance(cache, Tensor) and torch.equal(cache, first[:, -1, :fold])
    shift.reset()
    out["after_reset"] = play(second)
    out["x_changed"] = changed
    out["stateless"] = len(shift.state_dict()) == 0
    shift.reset()
    with Elsewhere() as elsewhere:
        answer = returned_tensor(shift(first[:, 0].clone()))
    out["stray"] = elsewhere.failed or elsewhere.is_stray(answer)
    return out


def _inputs_online_shift(seed: int) -> list[Values]:
    randn = random_tensors(seed)
    return [
        {
            "first": randn(n, t, c, 2, 2, dtype=dtype),
            "second": randn(later, t, c, 2, 2, dtype=dtype),
            "fold_div": fold_div,
            "training": training,
        }
        for n, later, t, c, fold_div, training, dtype in (
            (1, 1, 4, 8, 8, True, torch.float32),
            (2, 3, 3, 17, 8, False, torch.float32),  # in evaluation, as a live network is
            (2, 1, 3, 12, 4, True, torch.float16),
        )
    ]


ONLINE_SHIFT = Check(
    name="OnlineShift",
    drive=_drive_online_shift,
    inputs=_inputs_online_shift,
    judge=values_judge(
        {
            "first": "the output for a new stream (clip, frame, channel, row, column)",
            "going_on": "the output when the stream goes on without a reset",
            "after_reset": "the output after a reset, with another batch size",
            "x_changed": "the output is right but the frame that you were given was changed",
            "no_cache": "the output is right but there is no `self.cache`: keep the channels under this name",
            "cached": "the output is right but `self.cache` is not the first C // fold_div channels of this frame",
            "stray": "the zeros before the first frame are made on the default device: make them like x, on its device",
            "stateless": "the output is right but the cache is in the state_dict: it must not travel with weights",
        }
    ),
)


# 4.7 · early recognition


def _drive_stream_logits(stream_logits: Any, case: Values) -> Values:
    weights, video = case["weight"], case["video"]
    assert isinstance(weights, Tensor) and isinstance(video, Tensor)
    readout = weights.T  # (C·H·W, K)

    class Net:
        """A streaming network in small: its logits depend on the frames since the last reset."""

        memory: Tensor | float = 0.0
        calls = 0

        def reset(self) -> None:
            self.memory = 0.0

        def __call__(self, frame: Tensor) -> Tensor:
            self.calls += 1
            self.memory = 0.5 * self.memory + frame.flatten(1) @ readout  # (N, K)
            return torch.tanh(self.memory)

    net = Net()
    net(video[:, 0] + 1.0)  # what an earlier stream left behind
    logits = returned_tensor(stream_logits(net, video))
    return {"logits": logits, "calls": net.calls}  # the calls are judged by nobody, and tell two slips apart


def _inputs_stream_logits(seed: int) -> list[Values]:
    randn = random_tensors(seed)
    return [
        {"video": randn(n, t, 3, 2, 2), "weight": randn(5, 12) / 2}
        for n, t in ((2, 4), (1, 3), (3, 1), (3, 3))
    ]


STREAM_LOGITS = Check(
    name="stream_logits",
    drive=_drive_stream_logits,
    inputs=_inputs_stream_logits,
    judge=values_judge({"logits": "the running mean of logits (clip, frame, class)"}),
)
