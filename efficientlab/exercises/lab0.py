"""Lab 0, "What does it cost?": its exercises as data, and the checks behind them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor

from efficientlab.exercises.cases import tensor_of
from efficientlab.exercises.contract import (
    AnswerError,
    Check,
    CheckFailed,
    Exercise,
    Values,
    counts_judge,
    values_judge,
)
from efficientlab.exercises.guarded import UNWRITTEN, Guarded, kernel_judge, kernel_result
from efficientlab.exercises.lab import Lab
from efficientlab.exercises.lab0_subjects import SimulatedDevice, network, subject_input

LAYERS = ("dense", "strided", "depthwise", "dilated", "transposed", "3D")
"""The layers of exercise 0.1; the notebook's text says what they are."""

OPS = ("ReLU", "residual sum", "depthwise 3×3", "conv 1×1", "conv 3×3")
"""The operators of exercises 0.5 and 0.6."""

SUBJECTS = ("family", "3D", "1D", "twice", "unused")


def _generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _picker(seed: int) -> Callable[..., int]:
    """Draws one of some integers, from one seeded stream."""
    generator = _generator(seed)

    def pick(*values: int) -> int:
        return values[int(torch.randint(len(values), (), generator=generator))]

    return pick


def _dictionary(answer: Any, verb: str = "returned") -> dict[Any, Any]:
    if not isinstance(answer, dict):
        raise AnswerError("Returned", f"{verb} {type(answer).__name__} where a dictionary belongs.")
    return answer


def _pair(answer: Any, what: str, length: int = 2) -> tuple[Any, ...]:
    if not isinstance(answer, tuple | list) or len(answer) != length:
        raise AnswerError("Returned", f"gave {answer!r} where {what} belongs.")
    return tuple(answer)


# 0.1 · a family of convolutions, by hand


def _drive_by_hand(by_hand: Any, case: Values) -> Values:
    counts = _dictionary(by_hand, "is")
    return {f"the number of MACs of {name!r}": counts[name] for name in LAYERS if name in counts}


BY_HAND = Check(
    name="by_hand",
    drive=_drive_by_hand,
    inputs=lambda seed: [{"layers": len(LAYERS)}],
    judge=counts_judge(),
)


# 0.2 · the same, in code


def _numbers(text: Any) -> tuple[int, ...]:
    return tuple(int(part) for part in str(text).split("×"))


def _drive_conv_macs(conv_macs: Any, case: Values) -> Values:
    options = {key: value for key, value in case.items() if key not in ("size", "kernel")}
    return {
        "the number of MACs": conv_macs(
            size=_numbers(case["size"]), kernel=_numbers(case["kernel"]), **options
        )
    }


def _inputs_conv_macs(seed: int) -> list[Values]:
    pick = _picker(seed)
    cases: list[Values] = []
    for dims, groups, transposed, dilation in (
        (2, 1, False, 1),
        (2, 2, False, 1),
        (2, 6, False, 2),
        (1, 1, False, 3),
        (3, 1, False, 1),
        (3, 3, False, 2),
        (2, 1, True, 1),
        (2, 2, True, 1),
        (1, 6, True, 1),
    ):
        size, kernel = (pick(11, 12, 15), pick(10, 13, 14), pick(9, 16, 17)), (3, pick(1, 2), pick(4, 5))
        cases.append(
            {
                "size": "×".join(map(str, size[:dims])),
                "c_in": pick(6, 12),
                "c_out": pick(18, 24),
                "kernel": "×".join(map(str, kernel[:dims])),
                "stride": pick(2, 3),
                "padding": pick(1, 2),
                "dilation": dilation,
                "groups": groups,
                "transposed": transposed,
            }
        )
    return cases


CONV_MACS = Check(name="conv_macs", drive=_drive_conv_macs, inputs=_inputs_conv_macs, judge=counts_judge())


# 0.3 · the missing 7.2 G


def _drive_generator_macs(generator_macs: Any, case: Values) -> Values:
    right, published = _pair(generator_macs(**case), "a pair (MACs, MACs as published)")
    return {"the number of MACs": right, "the number of MACs as published": published}


def _inputs_generator_macs(seed: int) -> list[Values]:
    pick = _picker(seed)
    drawn: list[Values] = [
        {"side": pick(32, 64, 96, 128), "width": pick(16, 24, 40), "blocks": pick(3, 6, 8)} for _ in range(3)
    ]
    return [{"side": 256, "width": 64, "blocks": 9}, *drawn]


GENERATOR_MACS = Check(
    name="generator_macs",
    drive=_drive_generator_macs,
    inputs=_inputs_generator_macs,
    judge=counts_judge(),
)


# 0.4 · a counter with hooks


def _drive_count_macs(count_macs: Any, case: Values) -> Values:
    kind, c = str(case["kind"]), int(case["c"])
    model = network(kind, c)
    x = subject_input(kind, int(case["n"]), c, int(case["side"]))
    counts = _dictionary(count_macs(model, x))
    out: Values = {f"the number of MACs of layer {name!r}": macs for name, macs in counts.items()}
    hooks = any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())
    out["the counts are right but the hooks are still there afterwards: remove them"] = hooks
    changed = not all(module.training for module in model.modules())
    out["the counts are right but the network is not in training mode any more, as it was"] = changed
    failing = network("raises", c)
    try:
        count_macs(failing, torch.zeros(1, c, 2, 2))
    except RuntimeError as error:
        if "on purpose" not in str(error):
            raise
        swallowed = False
    else:
        swallowed = True
    out["an error of the network must reach the caller"] = swallowed
    left = any(module._forward_hooks for module in failing.modules())
    out["where the network raises an error, the hooks stay: remove them in a `finally`"] = left
    return out


def _inputs_count_macs(seed: int) -> list[Values]:
    pick = _picker(seed)
    return [{"kind": kind, "n": pick(2, 3), "c": pick(4, 6, 8), "side": pick(8, 9, 10)} for kind in SUBJECTS]


def _judge_count_macs(inputs: Values, expected: Values, got: Values) -> None:
    """A layer that never ran may be missing, or be zero; every other key must be one that is expected."""
    counts_judge()(inputs, expected, got)
    for key, value in got.items():
        if key not in expected and value != 0:
            raise CheckFailed(f"{key} is {value!r}, but it does no MACs or is counted elsewhere.")


COUNT_MACS = Check(
    name="count_macs", drive=_drive_count_macs, inputs=_inputs_count_macs, judge=_judge_count_macs
)


# 0.5 · bytes


def _drive_op_costs(op_costs: Any, case: Values) -> Values:
    costs = _dictionary(op_costs(**case))
    out: Values = {}
    for name in OPS:
        if name in costs:
            parts = _pair(costs[name], f"a triple (MACs, bytes read, bytes written) of {name!r}", 3)
            for what, value in zip(("MACs", "bytes read", "bytes written"), parts, strict=True):
                out[f"the number of {what} of {name!r}"] = value
    return out


def _inputs_op_costs(seed: int) -> list[Values]:
    pick = _picker(seed)
    return [
        {"n": pick(2, 3), "c": pick(16, 24, 32), "side": pick(7, 14, 20), "itemsize": itemsize}
        for itemsize in (4, 2, 8)
    ]


OP_COSTS = Check(name="op_costs", drive=_drive_op_costs, inputs=_inputs_op_costs, judge=counts_judge())


# 0.6 · memory-bound or not, predicted


def _drive_memory_bound(memory_bound: Any, case: Values) -> Values:
    bound = _dictionary(memory_bound, "is")
    return {
        "operators": ", ".join(sorted(map(str, bound))),
        "kinds": ", ".join(sorted({type(value).__name__ for value in bound.values()})),
    }


def _judge_memory_bound(inputs: Values, expected: Values, got: Values) -> None:
    given, wanted = (set(str(values["operators"]).split(", ")) for values in (got, expected))
    if given != wanted:
        missing, unknown = ", ".join(sorted(wanted - given)), ", ".join(sorted(given - wanted))
        raise CheckFailed(
            f"missing from the prediction: {missing or 'none'}; not an operator: {unknown or 'none'}."
        )
    if got["kinds"] != "bool":
        raise CheckFailed("every prediction is True (memory sets the pace) or False (arithmetic does).")


MEMORY_BOUND = Check(
    name="memory_bound",
    drive=_drive_memory_bound,
    inputs=lambda seed: [{"operators": len(OPS)}],
    judge=_judge_memory_bound,
)


# 0.7 · a latency meter


def _drive_median_latency(median_latency: Any, case: Values) -> Values:
    work = case["work"]
    assert isinstance(work, Tensor)
    device = SimulatedDevice(work.tolist(), busy=float(case["busy"]))
    answer = _dictionary(
        median_latency(device.run, device.synchronise, device.clock, warmup=case["warmup"], runs=case["runs"])
    )
    out: Values = {str(key): float(value) for key, value in answer.items()}
    return out | {"calls": device.calls}


def _inputs_median_latency(seed: int) -> list[Values]:
    rand = partial(torch.rand, generator=_generator(seed), dtype=torch.float64)
    cases: list[Values] = []
    for warmup, runs, busy in ((3, 12, 0.0), (2, 9, 0.5), (0, 7, 0.3), (1, 20, 0.0)):
        steady = 1e-3 * (1 + 0.2 * rand(runs))
        steady[runs // 2 :: 5] *= 4  # another program was there
        first = 2e-2 * (1 + rand(warmup))
        cases.append({"work": torch.cat([first, steady]), "warmup": warmup, "runs": runs, "busy": busy})
    return cases


MEDIAN_LATENCY = Check(
    name="median_latency",
    drive=_drive_median_latency,
    inputs=_inputs_median_latency,
    judge=values_judge(
        {
            "median": "the median in seconds",
            "low": "`low`, the lower quartile in seconds,",
            "high": "`high`, the upper quartile in seconds,",
            "calls": "the number of calls, warm-up and timed ones together,",
        },
        rtol=1e-6,
        atol=0.0,
    ),
)


# 0.8 · the roofline


def _drive_roof(roof: Any, case: Values) -> Values:
    answer = _dictionary(roof(**case))
    out: Values = {}
    for key, value in answer.items():
        out[str(key)] = value if isinstance(value, str) else float(value)
    return out


def _inputs_roof(seed: int) -> list[Values]:
    generator = _generator(seed)

    def uniform(low: float, high: float) -> float:
        return low + (high - low) * torch.rand((), generator=generator).item()

    cases: list[Values] = []
    for low, high in ((0.1, 0.4), (0.6, 0.9), (1.2, 1.8), (3.0, 9.0)):  # intensity as a multiple of the ridge
        flops_per_second, bytes_per_second = uniform(1e10, 2e13), uniform(5e9, 9e11)
        moved = int(uniform(1e5, 1e8))
        macs = int(uniform(low, high) * flops_per_second / bytes_per_second * moved / 2)
        cases.append(
            {
                "macs": macs,
                "moved": moved,
                "flops_per_second": flops_per_second,
                "bytes_per_second": bytes_per_second,
            }
        )
    copy: Values = {"macs": 0, "moved": int(uniform(1e5, 1e8))}
    return [*cases, copy | {"flops_per_second": 1e12, "bytes_per_second": uniform(5e9, 9e11)}]


ROOF = Check(
    name="roof",
    drive=_drive_roof,
    inputs=_inputs_roof,
    judge=values_judge(
        {
            "intensity": "the intensity, FLOPs per byte,",
            "ridge": "the ridge",
            "bound": "the bound",
            "seconds": "the least time in seconds",
            "rate": "the attainable rate in FLOP/s",
        },
        rtol=1e-6,
        atol=0.0,
    ),
)


# 0.10 · kernel corner


def _drive_activation_kernel(activation_kernel: Any, case: Values) -> Values:
    x, scale, shift = (tensor_of(case, name) for name in ("x", "scale", "shift"))
    n, channels, height, width = x.shape
    pixels, block = height * width, 8
    guard = block + pixels  # what a forgotten mask can reach
    source, target = Guarded(x, guard), Guarded(torch.full_like(x, UNWRITTEN), guard, 1e3)
    factors, summands = Guarded(scale, guard, 5e3), Guarded(shift, guard, -5e3)
    grid = (n * channels, (pixels + block - 1) // block)
    activation_kernel[grid](
        source.inner, factors.inner, summands.inner, target.inner, channels, pixels, BLOCK=block
    )
    return kernel_result("activated", source, target)


def _inputs_activation_kernel(seed: int) -> list[Values]:
    randn = partial(torch.randn, generator=_generator(seed))
    return [
        {"x": randn(n, c, h, w), "scale": randn(c), "shift": randn(c)}
        for n, c, h, w in ((2, 3, 4, 4), (1, 4, 3, 3), (3, 2, 1, 5))
    ]


ACTIVATION_KERNEL = Check(
    name="activation_kernel",
    drive=_drive_activation_kernel,
    inputs=_inputs_activation_kernel,
    judge=kernel_judge("activated", "the tensor y"),
)


lab = Lab(
    number=0,
    slug="lab0_cost",
    title="What does it cost?",
    exercises=(
        Exercise("0.1", "Six convolutions by hand", "predict", points=8, minutes=8, stars=1, check=BY_HAND),
        Exercise("0.2", "The same in code", "build", points=14, minutes=10, stars=2, check=CONV_MACS),
        Exercise("0.3", "The missing 7.2 G", "predict", points=12, minutes=12, stars=2, check=GENERATOR_MACS),
        Exercise("0.4", "A counter with hooks", "build", points=18, minutes=15, stars=3, check=COUNT_MACS),
        Exercise("0.5", "Bytes", "build", points=12, minutes=10, stars=2, check=OP_COSTS),
        Exercise(
            "0.6",
            "Memory-bound or not, before you measure it",
            "predict",
            points=4,
            minutes=3,
            stars=1,
            check=MEMORY_BOUND,
        ),
        Exercise("0.7", "A latency meter", "build", points=16, minutes=12, stars=2, check=MEDIAN_LATENCY),
        Exercise("0.8", "The roofline", "build", points=8, minutes=6, stars=1, check=ROOF),
        Exercise("0.9", "Half the MACs, half the time?", "investigate", points=8, minutes=12, stars=2),
        Exercise(
            "0.10",
            "Kernel corner: three passes in one",
            "kernel",
            points=10,
            minutes=30,
            stars=3,
            check=ACTIVATION_KERNEL,
        ),
    ),
)
