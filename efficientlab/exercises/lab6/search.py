"""Lab 6's checks of the search: a slice after a concatenation (6.13), and evolution under a limit (6.14)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from efficientlab.exercises.cases import random_tensors, tensor_of
from efficientlab.exercises.contract import AnswerError, Check, Values, returned_tensor, values_judge
from efficientlab.exercises.gradients import gradient
from efficientlab.exercises.searches import budgeted_search

# 6.13 · two ranges


def _drive_slice_joined(slice_joined: Any, case: Values) -> Values:
    weight, upstream = tensor_of(case, "weight").requires_grad_(), tensor_of(case, "upstream")
    before = weight.detach().clone()
    part = returned_tensor(slice_joined(weight, *(case[k] for k in ("up", "skip", "up_max", "out"))))
    if part.shape != upstream.shape:
        raise AnswerError(
            "Returned", f"returned shape {tuple(part.shape)} where {tuple(upstream.shape)} belongs."
        )
    answer: Values = {
        "part": part.detach(),
        "changed": not torch.equal(weight.detach(), before),
        "trainable": part.requires_grad,
    }
    if part.requires_grad:
        answer["gradient"] = gradient(part, weight, upstream)
    return answer


def _inputs_slice_joined(seed: int) -> list[Values]:
    randn = random_tensors(seed)

    def drawn(*shape: int) -> Tensor:
        return randn(*shape, dtype=torch.float64)

    cases: list[Values] = []
    for offsets, up_max, skip_max, out_max, up, skip, out in (
        (3, 4, 3, 5, 2, 2, 3),
        (2, 5, 4, 4, 3, 1, 2),
        (4, 3, 4, 3, 3, 3, 2),
        (2, 4, 2, 3, 1, 2, 3),
    ):
        cases.append(
            {
                "weight": drawn(offsets, up_max + skip_max, out_max),
                "up": up,
                "skip": skip,
                "up_max": up_max,
                "out": out,
                "upstream": drawn(offsets, up + skip, out),
            }
        )
    return cases


SLICE_JOINED = Check(
    name="slice_joined",
    drive=_drive_slice_joined,
    inputs=_inputs_slice_joined,
    judge=values_judge(
        {
            "part": "the part of the weights (offset, input, output)",
            "changed": "the part is right but the super-network's weights were changed",
            "trainable": "the part is right but no gradient reaches the super-network: slice, do not copy",
            "gradient": "the gradient with respect to the super-network's weights",
        }
    ),
)


# 6.14 · evolution under a limit

EVOLVE = budgeted_search(sign=-1, names_macs=True)  # a quality, of which more is better
