"""Lab 7, the checks on pooling in the cells of the ground: exercises 7.5 and 7.6."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from efficientlab.exercises.cases import quarters, random_tensors, tensor_of, watched
from efficientlab.exercises.contract import AnswerError, Check, Values, returned_tensor, values_judge
from efficientlab.exercises.gradients import gradient


def _cells(seed: int, points: int, cells: int, which: int) -> Tensor:
    """(P,): cells of points in no order; one cell holds none.

    In the first and second case the last cell holds several, in the third none. In the second no point is outside.
    """
    generator = torch.Generator().manual_seed(seed)
    cell = torch.randint(cells, (points,), generator=generator)
    cell[cell == cells // 2] = 0
    cell[:2], cell[3:5] = cells - 1, 0
    if which == 2:
        cell[cell == cells - 1] = 0
    if which != 1:
        cell[-3:] = -1
    return cell[torch.randperm(points, generator=generator)]


def _none_inside(pool: Callable[[Tensor], Any], cell: Tensor, cells: int, channels: int) -> bool:
    """Whether cells hold 0 where all points are outside, as those of a camera that looks up may be.

    Another number of cells shows in the cases.
    """
    try:
        pooled = returned_tensor(pool(torch.full_like(cell, -1)))
    except (RuntimeError, IndexError, ValueError):
        return False
    return pooled.shape != (cells, channels) or not pooled.any()


def _loses_digits(pool: Callable[[Tensor, Tensor], Any]) -> bool:
    """Whether 2²⁴ in one cell and 1 in the next come back changed: in single precision their sum is 2²⁴ again."""
    rows = torch.tensor([[2.0**24], [1.0]])
    return not torch.equal(returned_tensor(pool(rows.clone(), torch.tensor([0, 1]))), rows)


# 7.5 · by prefix sums


def _drive_prefix(pool_prefix_sums: Any, case: Values) -> Values:
    rows, cell = tensor_of(case, "rows"), tensor_of(case, "cell")
    changed = watched(rows, cell)
    pooled = returned_tensor(pool_prefix_sums(rows, cell, case["cells"]))
    return {
        "pooled": pooled,
        "changed": changed(),
        "loses digits": _loses_digits(lambda rows, cell: pool_prefix_sums(rows, cell, 2)),
        "nothing": _none_inside(
            lambda outside: pool_prefix_sums(rows, outside, case["cells"]),
            cell,
            int(case["cells"]),
            rows.shape[1],
        ),
    }


def _inputs_prefix(seed: int) -> list[Values]:
    randn = random_tensors(seed)
    cases: list[Values] = [
        {"rows": randn(p, c, dtype=torch.float64), "cell": _cells(seed + k, p, v, k), "cells": v}
        for k, (p, c, v) in enumerate(((20, 3, 6), (12, 1, 5), (40, 2, 9)))
    ]
    # in single precision, as the lab's: sums of quarters are exact
    return [*cases, {"rows": quarters(randn(20, 2)), "cell": _cells(seed + 3, 20, 6, 0), "cells": 6}]


PREFIX_SUMS = Check(
    name="pool_prefix_sums",
    drive=_drive_prefix,
    inputs=_inputs_prefix,
    judge=values_judge(
        {
            "pooled": "the tensor of sums (cell, channel)",
            "changed": "the sums are right but one of your inputs was changed",
            "loses digits": "the sums are right but not differences of one long sum in the rows' type: "
            "no digits are lost in single precision",
            "nothing": "the sums are right, but not where all points are outside: then every cell holds 0",
        },
        rtol=1e-6,
        atol=1e-8,
    ),
)


# 7.6 · by intervals


def _drive_intervals(pool_intervals: Any, case: Values) -> Values:
    depth, features = (tensor_of(case, k).requires_grad_() for k in ("depth", "features"))
    pixel, cell, upstream = (tensor_of(case, k) for k in ("pixel", "cell", "upstream"))
    given = depth * 1.0, features * 1.0, pixel, cell
    changed = watched(*given)
    pooled = returned_tensor(pool_intervals(*given, case["cells"]))
    if pooled.shape != upstream.shape:
        raise AnswerError(
            "Returned", f"returned shape {tuple(pooled.shape)} where {tuple(upstream.shape)} belongs."
        )
    answer: Values = {"pooled": pooled.detach(), "trainable": pooled.requires_grad, "changed": changed()}
    if pooled.requires_grad:
        for name, leaf in (("depth", depth), ("features", features)):
            answer[f"{name} gradient"] = gradient(pooled, leaf, upstream)
    answer["loses digits"] = _loses_digits(
        lambda rows, cell: pool_intervals(torch.ones(2), rows, torch.arange(2), cell, 2)
    )
    answer["nothing"] = _none_inside(
        lambda outside: pool_intervals(*given[:3], outside, case["cells"]),
        cell,
        int(case["cells"]),
        features.shape[1],
    )
    return answer


def _inputs_intervals(seed: int) -> list[Values]:
    """At most 16 points: `argsort` leaves ties of so few in order, so a slip gives the same sums however it sorts."""
    randn = random_tensors(seed)
    generator = torch.Generator().manual_seed(seed)
    cases: list[Values] = []
    for k, (p, q, c, v) in enumerate(((16, 5, 3, 6), (14, 4, 1, 5), (16, 12, 2, 9))):
        cases.append(
            {
                "depth": torch.rand(p, generator=generator, dtype=torch.float64) + 0.1,
                "features": randn(q, c, dtype=torch.float64),
                "pixel": torch.randint(q, (p,), generator=generator),
                "cell": _cells(seed + k, p, v, k),
                "cells": v,
                "upstream": randn(v, c, dtype=torch.float64),
            }
        )
    single = {  # as the lab's: sums of products of quarters are exact
        key: quarters(value).float() if isinstance(value, Tensor) and value.is_floating_point() else value
        for key, value in cases[0].items()
    }
    return [*cases, single]


INTERVALS = Check(
    name="pool_intervals",
    drive=_drive_intervals,
    inputs=_inputs_intervals,
    judge=values_judge(
        {
            "pooled": "the tensor of sums (cell, channel)",
            "trainable": "the sums are right but no gradient comes through them",
            "depth gradient": "the gradient with respect to the depths' weights",
            "features gradient": "the gradient with respect to the features",
            "changed": "the sums are right but one of the inputs was changed",
            "loses digits": "the sums are right but differences of one long sum: digits are lost in single precision",
            "nothing": "the sums are right, but not where all points are outside: then every cell holds 0",
        },
        rtol=1e-6,
        atol=1e-8,
    ),
)
