"""Lab 4, "Video at the price of images": its exercises as data, and the checks behind them."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from efficientlab.exercises.cases import drawn_state, random_tensors, state_of, tensor_of
from efficientlab.exercises.contract import (
    AnswerError,
    Check,
    CheckFailed,
    Exercise,
    Values,
    counts_judge,
    returned_tensor,
    values_judge,
)
from efficientlab.exercises.guarded import UNWRITTEN, Guarded, kernel_judge, kernel_result
from efficientlab.exercises.lab import Lab

# 4.1 · frame aggregation


def _drive_clip_logits(clip_logits: Any, case: Values) -> Values:
    video, weight = case["video"], case["weight"]
    assert isinstance(video, Tensor) and isinstance(weight, Tensor)

    def backbone(frames: Tensor) -> Tensor:
        return torch.tanh(frames.flatten(1) @ weight.T)  # (n, C, H, W) → (n, K)

    before = video.clone()
    weight.requires_grad_()
    logits = returned_tensor(clip_logits(backbone, video))
    trainable = logits.requires_grad
    return {
        "logits": logits.detach(),
        "video_changed": not torch.equal(video, before),
        "trainable": trainable,
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


# 4.2 · the temporal shift


def _drive_temporal_shift(temporal_shift: Any, case: Values) -> Values:
    leaf, upstream = case["x"], case["upstream"]
    assert isinstance(leaf, Tensor) and isinstance(upstream, Tensor)
    leaf.requires_grad_()
    x = leaf * 1.0  # not a leaf, so that a shift in place runs and can be shown for what it is
    before = x.detach().clone()
    options = {"fold_div": case["fold_div"], "causal": case["causal"]}
    y = returned_tensor(temporal_shift(x, case["n_frames"], **options))
    changed = not torch.equal(x.detach(), before)
    if y.shape != x.shape:
        raise AnswerError("Returned", f"returned shape {tuple(y.shape)} for an x of shape {tuple(x.shape)}.")
    with torch.device("meta"):  # what is made without naming x's device lands here
        stray = returned_tensor(temporal_shift(x.detach(), case["n_frames"], **options)).device != x.device
    if stray:
        raise AnswerError("Returned", "makes tensors on the default device; make them like x, on its device.")
    (gradient,) = torch.autograd.grad(y, leaf, upstream.to(y.dtype))
    return {"shifted": y, "gradient": gradient, "x_changed": changed}


def _inputs_temporal_shift(seed: int) -> list[Values]:
    randn = random_tensors(seed)
    cases: list[Values] = []
    for n, t, c, fold_div, causal in (
        (2, 4, 8, 8, False),
        (2, 3, 16, 8, False),
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
    (gradient,) = torch.autograd.grad(y, leaf, upstream)
    return {"out": y, "gradient": gradient, "x_changed": not torch.equal(x.detach(), before)}


def _inputs_shifted_block(seed: int) -> list[Values]:
    from efficientlab.models.resnet import BasicBlock

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


# 4.4 · costs, predicted


def _drive_predict_costs(predict_costs: Any, case: Values) -> Values:
    widths = tuple(int(w) for w in str(case["widths"]).split())
    rest = {key: value for key, value in case.items() if key != "widths"}
    costs = predict_costs(widths=widths, **rest)
    if not isinstance(costs, dict):
        raise AnswerError("Returned", f"returned {type(costs).__name__} where a dictionary belongs.")
    answer: Values = {}
    for name, pair in costs.items():
        if not isinstance(pair, tuple | list) or len(pair) != 2:
            raise AnswerError("Returned", f"gives {name!r} as {pair!r}; give the pair (MACs, parameters).")
        answer[f"the MACs of {name}"], answer[f"the parameters of {name}"] = pair
    return answer


def _inputs_predict_costs(seed: int) -> list[Values]:
    generator = torch.Generator().manual_seed(seed)

    def pick(*values: int) -> int:
        return values[int(torch.randint(len(values), (), generator=generator))]

    def case(size: int, frames: int, widths: str, hidden: int, classes: int, iterations: int) -> Values:
        return {
            "size": size,
            "frames": frames,
            "widths": widths,
            "hidden": hidden,
            "classes": classes,
            "iterations": iterations,
        }

    drawn = [
        case(
            pick(32, 64, 96),
            pick(2, 4, 8),
            f"{pick(8, 12)} {pick(16, 20)} {pick(24, 40)}",
            pick(16, 24),
            pick(5, 7),
            pick(3, 6),
        )
        for _ in range(3)
    ]
    return [case(32, 8, "24 48 96", 48, 12, 12), *drawn]


PREDICT_COSTS = Check(
    name="predict_costs", drive=_drive_predict_costs, inputs=_inputs_predict_costs, judge=counts_judge("are")
)


# 4.5 · latency, predicted

CONTESTANTS = ("TSN", "RGB difference", "TSM", "CNN+LSTM", "two-stream", "3D", "3D narrow")


def _drive_latency_ratios(latency_ratios: Any, case: Values) -> Values:
    if not isinstance(latency_ratios, dict):
        raise AnswerError(
            "Returned", f"is {type(latency_ratios).__name__}; write a dictionary, name: number."
        )
    ratios = latency_ratios
    numbers = {k: v for k, v in ratios.items() if isinstance(v, int | float) and not isinstance(v, bool)}
    return {
        "contestants": ", ".join(sorted(map(str, ratios))),
        "numbers": len(numbers) == len(ratios),
        "defined": all(math.isfinite(v) for v in numbers.values()),
        "positive": not any(v <= 0 for v in numbers.values()),
        "TSN": float(numbers.get("TSN", float("nan"))),
    }


def _judge_latency_ratios(inputs: Values, expected: Values, got: Values) -> None:
    given, wanted = (set(str(values["contestants"]).split(", ")) for values in (got, expected))
    if given != wanted:
        missing, unknown = ", ".join(sorted(wanted - given)), ", ".join(sorted(given - wanted))
        raise CheckFailed(
            f"missing from the prediction: {missing or 'none'}; not a contestant: {unknown or 'none'}."
        )
    if got["numbers"] is not True:
        raise CheckFailed(
            "every prediction is a number: how many times TSN's latency this network will take."
        )
    if got["defined"] is not True:
        raise CheckFailed("every prediction is a finite number.")
    if got["positive"] is not True:
        raise CheckFailed("a latency ratio is a positive number.")
    if got["TSN"] != 1.0:
        raise CheckFailed("TSN is the unit of these ratios, so its own is 1.")


LATENCY_RATIOS = Check(
    name="latency_ratios",
    drive=_drive_latency_ratios,
    inputs=lambda seed: [{"unit": "TSN"}],
    judge=_judge_latency_ratios,
)


# 4.6 · the online shift


def _drive_online_shift(OnlineShift: Any, case: Values) -> Values:
    first, second = case["first"], case["second"]
    assert isinstance(first, Tensor) and isinstance(second, Tensor)
    shift = OnlineShift(fold_div=case["fold_div"])
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
    OnlineShift(fold_div=case["fold_div"])(second[:, 0])  # another block's shift must not disturb this one
    out["going_on"] = play(first)
    fold = first.shape[2] // int(case["fold_div"])
    cache = getattr(shift, "cache", None)
    out["cached"] = isinstance(cache, Tensor) and torch.equal(cache, first[:, -1, :fold])
    shift.reset()
    out["after_reset"] = play(second)
    out["x_changed"] = changed
    out["stateless"] = len(shift.state_dict()) == 0
    shift.reset()
    try:
        with torch.device("meta"):  # what is made without naming x's device lands here
            stray = returned_tensor(shift(first[:, 0])).device != first.device
    except RuntimeError:
        stray = True
    out["stray"] = stray
    return out


def _inputs_online_shift(seed: int) -> list[Values]:
    randn = random_tensors(seed)
    return [
        {"first": randn(n, t, c, 2, 2), "second": randn(later, t, c, 2, 2), "fold_div": fold_div}
        for n, later, t, c, fold_div in ((1, 1, 4, 8, 8), (2, 3, 3, 17, 8), (2, 1, 3, 12, 4))
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

        def reset(self) -> None:
            self.memory = 0.0

        def __call__(self, frame: Tensor) -> Tensor:
            self.memory = 0.5 * self.memory + frame.flatten(1) @ readout  # (N, K)
            return torch.tanh(self.memory)

    net = Net()
    net(video[:, 0] + 1.0)  # what an earlier stream left behind
    return {"logits": returned_tensor(stream_logits(net, video))}


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


# 4.8 · the communication of data-parallel training


def _drive_step_cost(step_cost: Any, case: Values) -> Values:
    cost = step_cost(**case)
    if not isinstance(cost, dict):
        raise AnswerError("Returned", f"returned {type(cost).__name__} where a dictionary belongs.")
    return {key: float(value) for key, value in cost.items()}


def _inputs_step_cost(seed: int) -> list[Values]:
    generator = torch.Generator().manual_seed(seed)

    def uniform(low: float, high: float) -> float:
        return low + (high - low) * torch.rand((), generator=generator).item()

    return [
        {
            "parameters": int(uniform(1e6, 5e7)),
            "macs": int(uniform(1e9, 5e10)),
            "clips": int(uniform(2, 16)),
            "workers": workers,
            "flops_per_second": uniform(1e12, 2e13),
            "bytes_per_second": uniform(1e9, 2e10),
        }
        for workers in (1, 2, 8, 64)
    ]


STEP_COST = Check(
    name="step_cost",
    drive=_drive_step_cost,
    inputs=_inputs_step_cost,
    judge=values_judge(
        {
            "gradient_bytes": "gradient_bytes, the size of all gradients,",
            "sent_bytes": "sent_bytes, what one worker sends in a ring all-reduce,",
            "compute_seconds": "compute_seconds, forward and backward of one worker,",
            "reduce_seconds": "reduce_seconds",
            "efficiency": "efficiency",
        },
        rtol=1e-6,
        atol=0.0,
    ),
)


# 4.10 · kernel corner


def _drive_shift_kernel(shift_kernel: Any, case: Values) -> Values:
    x = tensor_of(case, "x")
    frames, channels, height, width = x.shape
    pixels, block = height * width, 8
    guard = channels * pixels + block  # what a forgotten mask can reach
    source, target = Guarded(x, guard), Guarded(torch.full_like(x, UNWRITTEN), guard, 1e3)
    shift_kernel[(frames * channels, (pixels + block - 1) // block)](
        source.inner, target.inner, case["n_frames"], channels, pixels, case["fold"], BLOCK=block
    )
    return kernel_result("shifted", source, target)


def _inputs_shift_kernel(seed: int) -> list[Values]:
    randn = random_tensors(seed)
    return [
        {"x": randn(n * t, c, h, w), "n_frames": t, "fold": fold}
        for n, t, c, fold, h, w in ((2, 3, 4, 1, 2, 4), (1, 4, 6, 2, 3, 3), (2, 1, 4, 1, 1, 5))
    ]


SHIFT_KERNEL = Check(
    name="shift_kernel",
    drive=_drive_shift_kernel,
    inputs=_inputs_shift_kernel,
    judge=kernel_judge("shifted", "the shifted tensor"),
)


lab = Lab(
    number=4,
    slug="lab4_tsm",
    title="Video at the price of images",
    exercises=(
        Exercise("4.1", "Frame aggregation", "build", points=8, minutes=5, stars=1, check=CLIP_LOGITS),
        Exercise("4.2", "The temporal shift", "build", points=16, minutes=12, stars=2, check=TEMPORAL_SHIFT),
        Exercise("4.3", "Where the shift goes", "build", points=12, minutes=8, stars=2, check=SHIFTED_BLOCK),
        Exercise(
            "4.4",
            "MACs and parameters by hand",
            "predict",
            points=18,
            minutes=20,
            stars=3,
            check=PREDICT_COSTS,
        ),
        Exercise(
            "4.5",
            "Latency, before you measure it",
            "predict",
            points=4,
            minutes=3,
            stars=1,
            check=LATENCY_RATIOS,
        ),
        Exercise("4.6", "The online shift", "build", points=16, minutes=10, stars=2, check=ONLINE_SHIFT),
        Exercise("4.7", "Early recognition", "build", points=8, minutes=5, stars=1, check=STREAM_LOGITS),
        Exercise("4.8", "What training sends", "build", points=10, minutes=8, stars=2, check=STEP_COST),
        Exercise("4.9", "When would you not use it?", "investigate", points=8, minutes=12, stars=2),
        Exercise(
            "4.10",
            "Kernel corner: the shift in Triton",
            "kernel",
            points=10,
            minutes=40,
            stars=3,
            check=SHIFT_KERNEL,
        ),
    ),
)
