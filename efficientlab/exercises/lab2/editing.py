"""Lab 2, the checks on editing and projection: exercises 2.11 and 2.12."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from efficientlab.exercises.cases import in_single, random_tensors, tensor_of, watched
from efficientlab.exercises.contract import AnswerError, Check, Values, returned_tensor, values_judge
from efficientlab.exercises.gradients import gradient, scalar

# 2.11 · a direction


def _drive_edit_direction(edit_direction: Any, case: Values) -> Values:
    w, score = tensor_of(case, "w"), tensor_of(case, "score")
    changed = watched(w, score)
    direction = returned_tensor(edit_direction(w, score, case["ridge"]))
    if direction.shape != w.shape[1:]:
        raise AnswerError(
            "Returned", f"returned shape {tuple(direction.shape)} where {tuple(w.shape[1:])} belongs."
        )
    length, unit = direction.norm(), direction / direction.norm()
    if torch.isclose(length, (w @ unit).std(correction=0)):  # as right as with n − 1
        length = (w @ unit).std()
    return {
        "length": length.item(),
        "direction": unit,
        "changed": changed(),
    }


def _inputs_edit_direction(seed: int) -> list[Values]:
    randn = random_tensors(seed)
    cases: list[Values] = []
    for n, d, ridge in ((40, 3, 0.1), (60, 5, 1.0), (30, 4, 0.01)):
        mixing = torch.eye(d, dtype=torch.float64) + randn(d, d, dtype=torch.float64) / 4
        w = randn(n, d, dtype=torch.float64) @ mixing + 2  # not centred, and its axes are not alike
        score = w @ randn(d, dtype=torch.float64) + randn(n, dtype=torch.float64) / 3 + 5
        cases.append({"w": w, "score": score, "ridge": ridge})
    return [*cases, in_single(cases[0])]


EDIT_DIRECTION = Check(
    name="edit_direction",
    drive=_drive_edit_direction,
    inputs=_inputs_edit_direction,
    judge=values_judge(
        {
            "direction": "the direction, scaled to length 1,",
            "length": "the direction is right but its length",
            "changed": "the direction is right but w or the scores were changed",
        }
    ),
)


# 2.12 · projection


def _drive_projection_loss(projection_loss: Any, case: Values) -> Values:
    full = tensor_of(case, "full").requires_grad_()
    previews = [tensor_of(case, k).requires_grad_() for k in sorted(case) if k.startswith("preview")]

    def distance(a: Tensor, b: Tensor) -> Tensor:
        """A perceptual distance in small: (N, 3, s, s) twice → (N,)."""
        return (a.mean((2, 3)) - b.mean((2, 3))).abs().sum(1) + (a - b).abs().mean((1, 2, 3)) ** 2

    target, given = tensor_of(case, "target"), list(previews)
    changed = watched(full, target, *previews)
    loss = scalar(projection_loss(full, given, target, case["weight"], distance))
    out: Values = {
        "loss": loss.detach(),
        "gradient_full": gradient(loss, full),
        "changed": changed() or [id(one) for one in given] != [id(one) for one in previews],
    }
    return out | {f"gradient_preview{n}": gradient(loss, p) for n, p in enumerate(previews)}


def _inputs_projection_loss(seed: int) -> list[Values]:
    randn = random_tensors(seed)
    cases: list[Values] = []
    for n, sizes, weight in ((2, (4, 2), 0.8), (3, (2, 4, 1), 2.5), (1, (4,), 0.5), (2, (), 1.0)):
        case: Values = {"weight": weight}
        for name, size in [("full", 4), ("target", 4), *((f"preview{i}", s) for i, s in enumerate(sizes))]:
            case[name] = randn(n, 3, size, size, dtype=torch.float64)
        cases.append(case)
    return cases


def _judge_projection_loss(inputs: Values, expected: Values, got: Values) -> None:
    previews = {k: f"the gradient with respect to preview {k[-1]}" for k in expected if "preview" in k}
    values_judge(
        {
            "loss": "the loss",
            "gradient_full": "the gradient with respect to the full picture",
            **previews,
            "changed": "the loss is right but the target, or the pictures or their list, were changed",
        }
    )(inputs, expected, got)


PROJECTION_LOSS = Check(
    name="projection_loss",
    drive=_drive_projection_loss,
    inputs=_inputs_projection_loss,
    judge=_judge_projection_loss,
)
