"""Lab 3, the check on the discriminator's overfitting: exercise 3.1."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from efficientlab.exercises.cases import left_frozen, random_tensors, tensor_of
from efficientlab.exercises.contract import (
    AnswerError,
    Check,
    Values,
    is_number,
    kind_of,
    returned_dictionary,
    values_judge,
)
from efficientlab.seeding import seeded

# 3.1 · the discriminator's overfitting


class _Scores(torch.nn.Module):
    """A discriminator in small, with a dropout that shows the mode it is asked in."""

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(weight)
        self.dropout = torch.nn.Dropout(0.9)

    def forward(self, x: Tensor) -> Tensor:
        return torch.tanh(self.dropout(x.flatten(1)) @ self.weight)  # (N, C, H, W) → (N,)


def _drive_overfitting(overfitting: Any, case: Values) -> Values:
    discriminator = _Scores(tensor_of(case, "weight"))
    discriminator.train(bool(case["training"]))
    with seeded(0):
        told = overfitting(
            discriminator, tensor_of(case, "train"), tensor_of(case, "held_out"), tensor_of(case, "fake")
        )
    told = returned_dictionary(told)
    rates: Values = {}
    for key, value in told.items():
        if not is_number(value):
            raise AnswerError("Returned", f"gives {key!r} as {kind_of(value)}; give a number.")
        rates[str(key)] = float(value)
    rates["mode_kept"] = discriminator.training == case["training"]
    rates["frozen"] = left_frozen(discriminator)
    rates["parts_kept"] = discriminator.dropout.training == case["training"]
    return rates


def _inputs_overfitting(seed: int) -> list[Values]:
    randn = random_tensors(seed)
    cases: list[Values] = []
    for a, b, c, taste, training in (
        (23, 14, 15, 0.1, False),
        (9, 16, 21, -0.2, True),
        (1, 7, 2, 0.1, True),
    ):
        weight, fake = 0.3 * randn(12), randn(c, 3, 2, 2)
        fake[0] = 0.0  # its score is exactly 0, which is not positive
        cases.append(
            {
                "weight": weight,
                "train": randn(a, 3, 2, 2) + taste * weight.view(3, 2, 2),
                "held_out": randn(b, 3, 2, 2) - 3 * taste * weight.view(3, 2, 2),
                "fake": fake,
                "training": training,
            }
        )
    return cases


OVERFITTING = Check(
    name="overfitting",
    drive=_drive_overfitting,
    inputs=_inputs_overfitting,
    judge=values_judge(
        {
            "train": "train, the share of training pictures with a positive score,",
            "held_out": "held_out, the share of held-out pictures with a positive score,",
            "fake": "fake, the share of generated pictures with a positive score,",
            "gap": "gap",
            "mode_kept": "the discriminator was left in another mode than you found it in",
            "frozen": "the discriminator was left frozen: its weights take no gradient any more",
            "parts_kept": "a layer of the discriminator was left in another mode than you found it in",
        }
    ),
)
