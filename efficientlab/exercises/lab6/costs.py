"""Lab 6's checks of costs: MACs and bytes from the pairs (6.5), and the order of rows in memory (6.12)."""

from __future__ import annotations

from typing import Any

import torch

from efficientlab.exercises.cases import tensor_of
from efficientlab.exercises.contract import (
    Check,
    Values,
    counts_judge,
    returned_dictionary,
    returned_tensor,
    values_judge,
)
from efficientlab.exercises.lab6.drawn import drawn_voxels, whole_numbers

# 6.5 · what a layer costs


def _drive_conv_costs(conv_costs: Any, case: Values) -> Values:
    box = tuple(tensor_of(case, "box").tolist())
    counts = tensor_of(case, "counts").tolist()
    costs = conv_costs(counts, case["voxels"], box, case["in_channels"], case["out_channels"])
    return {repr(name): cost for name, cost in returned_dictionary(costs).items()}


def _inputs_conv_costs(seed: int) -> list[Values]:
    generator = torch.Generator().manual_seed(seed)

    def draw(low: int, high: int, *shape: int) -> torch.Tensor:
        return torch.randint(low, high, shape, generator=generator)

    cases: list[Values] = []
    for offsets in (27, 8, 27):
        # as many as the lab's: single precision could not count their MACs
        voxels = int(draw(100_000, 200_000))
        cases.append(
            {
                "counts": draw(2000, voxels // 2, offsets)
                * (torch.arange(offsets) > 0),  # the first has no pair
                "voxels": voxels,
                "box": draw(200, 600, 3),
                "in_channels": int(draw(3, 24)),
                "out_channels": int(draw(25, 64)),
            }
        )
    return cases


CONV_COSTS = Check(
    name="conv_costs", drive=_drive_conv_costs, inputs=_inputs_conv_costs, judge=counts_judge()
)


# 6.12 · along a curve


def _drive_morton_order(morton_order: Any, case: Values) -> Values:
    coords = tensor_of(case, "coords")
    before = coords.clone()
    order = whole_numbers(returned_tensor(morton_order(coords)))
    return {"order": order, "changed": not torch.equal(coords, before)}


def _inputs_morton_order(seed: int) -> list[Values]:
    cases: list[Values] = []
    for clouds, count, low, high in (
        (1, 30, 3, 11),
        (2, 30, -9, 9),
        (3, 20, -30_000, 30_000),
        (1, 25, -4, 40),
    ):
        coords = drawn_voxels(seed, clouds, count, low, high)
        cases.append(
            {"coords": coords[torch.randperm(len(coords), generator=torch.Generator().manual_seed(seed))]}
        )
    return cases


MORTON_ORDER = Check(
    name="morton_order",
    drive=_drive_morton_order,
    inputs=_inputs_morton_order,
    judge=values_judge(
        {
            "order": "the order of the rows",
            "changed": "the order is right but the coordinates that you were given were changed",
        },
        rtol=0.0,
        atol=0.0,
    ),
)
