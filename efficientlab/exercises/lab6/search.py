"""Lab 6's checks of the search: a slice after a concatenation (6.13), and evolution under a limit (6.14)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from efficientlab.exercises.cases import processor_limit, random_tensors, tensor_of
from efficientlab.exercises.contract import (
    AnswerError,
    Check,
    CheckFailed,
    Values,
    describe,
    plain,
    returned_tensor,
    values_judge,
)
from efficientlab.exercises.gradients import gradient
from efficientlab.exercises.searches import SECONDS, drive_evolve, judge_evolve, search_inputs

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


def _drive_evolve(evolve: Any, case: Values) -> Values:
    if case["limit"] not in ("infeasible", "the smallest"):
        return drive_evolve(evolve, case, sign=-1)
    price = tensor_of(case, "price").tolist()
    asked: list[Any] = []

    def macs(config: Any) -> int:
        return sum(p * int(c) for p, c in zip(price, config, strict=True))

    def quality(config: Any) -> float:
        asked.append(config)
        return float(sum(config))

    space = [(3, 5, 2, 4)] * len(price)  # the least is not the first
    smallest, first = ((least,) * len(price) for least in (2, 3))
    limit = macs(smallest) - (case["limit"] == "infeasible")
    endless = "finds no end under a limit that no configuration but the smallest meets, if any."
    try:
        with processor_limit(SECONDS, AnswerError("Returned", endless)):
            best = evolve(quality, macs, space, limit, 4, 2, torch.Generator().manual_seed(0))
    except ValueError as error:
        said = str(error).replace(",", "").replace("_", "").replace("\u202f", "")
        named, wrong = (str(macs(config)) in said for config in (smallest, first))
        return {"refused": True, "named": named, "named_first": wrong and not named, "asked": len(asked)}
    found = tuple(map(plain, best)) == smallest if isinstance(best, tuple) else False
    return {"refused": False, "named": False, "named_first": False, "found": found, "asked": len(asked)}


def _inputs_evolve(seed: int) -> list[Values]:
    price = torch.randint(1000, 9000, (4,), generator=torch.Generator().manual_seed(seed))
    usual: list[Values] = [{"limit": "the budget", **case} for case in search_inputs(seed)]
    # eight genes: so many configurations that none of some hundred random ones is the smallest
    long: Values = {"limit": "the smallest", "price": torch.cat([price, price.flip(0) + 1])}
    return [*usual, {"limit": "infeasible", "price": price}, long]


def _judge_evolve(inputs: Values, expected: Values, got: Values) -> None:
    if inputs["limit"] not in ("infeasible", "the smallest"):
        judge_evolve(inputs, expected, got)
        return
    detail = f"on the case: {describe(inputs)}"
    if inputs["limit"] == "the smallest":
        if got["refused"] is not False:
            raise CheckFailed(
                "a limit that the smallest configuration just meets raised a ValueError.", detail
            )
        if got["found"] is not True or got["asked"] != 1:
            raise CheckFailed(
                "under a limit that the smallest configuration alone meets, it is the one to evaluate and to return.",
                detail,
            )
        return
    if got["refused"] is not True:
        raise CheckFailed("a limit that no configuration meets must raise a ValueError.", detail)
    if got["asked"] != 0:
        raise CheckFailed("configurations beyond the limit were evaluated before the ValueError.", detail)
    if got["named_first"] is True:
        raise CheckFailed(
            "the ValueError names the MACs of each stage's first choice; the smallest has the least of each.",
            detail,
        )
    if got["named"] is not True:
        raise CheckFailed("the ValueError must name the MACs of the smallest configuration.", detail)


EVOLVE = Check(name="evolve", drive=_drive_evolve, inputs=_inputs_evolve, judge=_judge_evolve)
