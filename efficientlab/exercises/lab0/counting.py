"""Lab 0, the checks on counting MACs: exercises 0.1 to 0.4."""

from __future__ import annotations

from typing import Any

import torch

from efficientlab.exercises.cases import picker
from efficientlab.exercises.contract import (
    Check,
    CheckFailed,
    Values,
    counts_judge,
    returned_dictionary,
    returned_tuple,
)
from efficientlab.exercises.lab0.subjects import network, subject_input

LAYERS = ("dense", "strided", "depthwise", "dilated", "transposed", "3D")
"""The layers of exercise 0.1; the notebook's text says what they are."""

SUBJECTS = ("family", "3D", "1D", "twice", "unused")


# 0.1 · a family of convolutions, by hand


def _drive_by_hand(by_hand: Any, case: Values) -> Values:
    counts = returned_dictionary(by_hand, "is")
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
    pick = picker(seed)
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
    right, published = returned_tuple(generator_macs(**case), "a pair (MACs, MACs as published)")
    return {"the number of MACs": right, "the number of MACs as published": published}


def _inputs_generator_macs(seed: int) -> list[Values]:
    pick = picker(seed)
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
    counts = returned_dictionary(count_macs(model, x))
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
    pick = picker(seed)
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
