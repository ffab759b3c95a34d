"""Lab 0, the checks on counting MACs: exercises 0.1 to 0.4."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from efficientlab.exercises.cases import but_defaults, picker
from efficientlab.exercises.contract import (
    Check,
    CheckFailed,
    Values,
    counts_judge,
    returned_dictionary,
    returned_number,
    returned_tuple,
)
from efficientlab.exercises.lab0.subjects import network, subject_inputs

LAYERS = ("dense", "strided", "depthwise", "dilated", "transposed", "3D")
"""The layers of exercise 0.1; the notebook's text says what they are."""

SUBJECTS = ("family", "3D", "1D", "twice", "two names", "itself", "unused", "two inputs", "evaluation")


# 0.1 · a family of convolutions, by hand


def _drive_by_hand(by_hand: Any, case: Values) -> Values:
    counts = returned_dictionary(by_hand, "is")
    return {f"the number of MACs of {name!r}": macs for name, macs in counts.items()}


BY_HAND = Check(
    name="by_hand",
    drive=_drive_by_hand,
    inputs=lambda seed: [{"layers": len(LAYERS)}],
    judge=counts_judge(),
)


# 0.2 · the same, in code


DEFAULTS: Values = {"stride": 1, "padding": 0, "dilation": 1, "groups": 1, "transposed": False}


def _numbers(text: Any) -> tuple[int, ...]:
    return tuple(int(part) for part in str(text).split("×"))


def _drive_conv_macs(conv_macs: Any, case: Values) -> Values:
    channels = {key: case[key] for key in ("c_in", "c_out")}
    options = {key: case[key] for key in DEFAULTS}
    if case["by_default"]:
        options = but_defaults(DEFAULTS, **options)
    macs = returned_number(
        conv_macs(size=_numbers(case["size"]), kernel=_numbers(case["kernel"]), **channels, **options)
    )
    return {"the number of MACs": macs, "it must be an integer: divide with `//`": isinstance(macs, float)}


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
                "padding": pick(1, 3),
                "dilation": dilation,
                "groups": groups,
                "transposed": transposed,
                "by_default": groups != 2,  # else all options are given
            }
        )
    for padding in (0, 1):  # the kernel is put down everywhere, and the output is another size than the input
        cases.append(cases[0] | {"kernel": f"{pick(4, 5)}×{pick(2, 6)}", "stride": 1, "padding": padding})
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
    found = Found(model)
    counts = returned_dictionary(
        count_macs(model, *subject_inputs(kind, int(case["n"]), c, int(case["side"])))
    )
    out: Values = {f"the number of MACs of layer {name!r}": macs for name, macs in counts.items()}
    out["the counts are right but the hooks are still there afterwards: remove them"] = found.new_hooks()
    out["hooks that somebody else had hung up are gone: remove your own, by their handles"] = (
        found.lost_hooks()
    )
    out["the counts are right but the network is not in the mode it was in"] = found.other_mode()
    out["the counts are right but a part of the network is not in the mode it was in"] = found.other_modes()
    out["the network's weights were changed or moved to another device"] = found.other_weights()
    failing = network("raises", c)
    found = Found(failing)
    try:
        count_macs(failing, torch.zeros(1, c, 2, 2))
    except RuntimeError as error:
        if "on purpose" not in str(error):
            raise
        swallowed = False
    else:
        swallowed = True
    out["an error of the network must reach the caller"] = swallowed
    out["where the network raises an error, the hooks stay: remove them in a `finally`"] = found.new_hooks()
    out["where the network raises an error, its mode is lost: set it back in a `finally`"] = (
        found.other_mode()
    )
    return out


class Found:
    """How a network was found: its hooks, one of them somebody else's, its modes and its weights."""

    def __init__(self, model: nn.Module) -> None:
        self.model = model
        for module in model.modules():  # somebody else watches every part of it
            module.register_forward_hook(lambda module, inputs, output: None)
        self.hooks = self._hooks()
        self.modes = [module.training for module in model.modules()]
        self.weights = [(parameter, parameter.detach().clone()) for parameter in model.parameters()]

    def new_hooks(self) -> bool:
        return not self._hooks() <= self.hooks

    def lost_hooks(self) -> bool:
        return not self.hooks <= self._hooks()

    def other_mode(self) -> bool:
        return self.model.training != self.modes[0]

    def other_modes(self) -> bool:
        return self.modes[1:] != [module.training for module in self.model.modules()][1:]

    def other_weights(self) -> bool:
        now = list(self.model.parameters())
        return len(now) != len(self.weights) or any(
            mine is not parameter or mine.device != value.device or not torch.equal(mine, value)
            for mine, (parameter, value) in zip(now, self.weights, strict=True)
        )

    def _hooks(self) -> set[tuple[int, int]]:
        return {
            (number, key)
            for number, module in enumerate(self.model.modules())
            for key in (*module._forward_hooks, *module._forward_pre_hooks)
        }


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
