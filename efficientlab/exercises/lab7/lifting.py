"""Lab 7, the checks on lifting pixels and on what that takes: exercises 7.2 and 7.3."""

from __future__ import annotations

from typing import Any

import torch

from efficientlab.exercises.cases import picker, quarters, random_tensors, tensor_of, watched
from efficientlab.exercises.contract import (
    Check,
    Values,
    counts_judge,
    returned_dictionary,
    returned_tensor,
    returned_tuple,
    values_judge,
)
from efficientlab.exercises.gradients import gradient

# 7.2 · lift


def _drive_lift(lift: Any, case: Values) -> Values:
    leaf = tensor_of(case, "logits").requires_grad_()
    logits = leaf * 1.0
    changed = watched(logits)
    depth, lifted = returned_tuple(lift(logits, case["depths"]), "a pair: depth and lifted")
    depth, lifted = returned_tensor(depth, " for depth"), returned_tensor(lifted, " for lifted")
    answer: Values = {"depth": depth.detach(), "lifted": lifted.detach(), "changed": changed()}
    for name, output in (("lifted", lifted), ("depth", depth)):
        answer[f"trainable_{name}"] = output.requires_grad
        if output.requires_grad:
            weight = torch.linspace(-1, 1, output.numel(), dtype=output.dtype).view(output.shape)
            answer[f"gradient_{name}"] = gradient(output, leaf, weight)
    return answer


def _inputs_lift(seed: int) -> list[Values]:
    randn = random_tensors(seed)
    cases: list[Values] = [
        {"logits": randn(n, d + c, h, w, dtype=torch.float64), "depths": d}
        for n, d, c, h, w in ((2, 4, 3, 2, 3), (1, 3, 5, 3, 2), (3, 2, 2, 1, 4))
    ]
    great = 1000 + quarters(randn(2, 5, 2, 2, dtype=torch.float64))  # whose exponentials are infinite
    return [*cases, {"logits": great, "depths": 3}]


LIFT = Check(
    name="lift",
    drive=_drive_lift,
    inputs=_inputs_lift,
    judge=values_judge(
        {
            "depth": "the weight of each depth (picture, depth, row, column)",
            "lifted": "the lifted tensor (picture, depth, channel, row, column)",
            "trainable_lifted": "the lifted tensor is right but no gradient comes through it",
            "gradient_lifted": "the gradient with respect to the logits",
            "trainable_depth": "the weights are right but no gradient comes through them: a loss of depths needs it",
            "gradient_depth": "the gradient of the weights with respect to the logits",
            "changed": "both are right but the logits that you were given were changed",
        },
        rtol=1e-6,
        atol=1e-8,
    ),
)


# 7.3 · its bytes, predicted


def _drive_lift_bytes(lift_bytes: Any, case: Values) -> Values:
    costs = returned_dictionary(lift_bytes(**case))
    return {repr(name): cost for name, cost in costs.items()}


def _inputs_lift_bytes(seed: int) -> list[Values]:
    pick = picker(seed)
    return [
        {
            "cameras": pick(2, 4, 6),
            "height": pick(8, 16, 32),
            "width": pick(24, 44, 88),
            "depths": pick(24, 41, 118),
            "channels": pick(20, 32, 80),
        }
        for _ in range(4)
    ]


LIFT_BYTES = Check(
    name="lift_bytes", drive=_drive_lift_bytes, inputs=_inputs_lift_bytes, judge=counts_judge()
)
