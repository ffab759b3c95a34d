"""Lab 5, the checks on the simulated cache and on costs: exercises 5.6 and 5.8."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from efficientlab.exercises.cases import but_defaults, picker
from efficientlab.exercises.contract import (
    Check,
    Values,
    counts_judge,
    returned_dictionary,
    returned_number,
    values_judge,
)

# 5.6 · a cache, simulated


def _drive_cache_misses(cache_misses: Any, case: Values) -> Values:
    index = case["index"]
    assert isinstance(index, Tensor)
    rows = index.tolist()
    options = but_defaults({"line_bytes": 64}, line_bytes=case["line_bytes"])
    misses = returned_number(cache_misses(rows, case["row_bytes"], case["cache_bytes"], **options))
    return {"misses": misses, "changed": rows != index.tolist()}


def _inputs_cache_misses(seed: int) -> list[Values]:
    generator = torch.Generator().manual_seed(seed)
    cases: list[Values] = []
    for accesses, rows, row_bytes, lines, line_bytes, rest in (
        (200, 12, 64, 8, 64, 0),
        (200, 40, 16, 6, 64, 0),
        (150, 10, 128, 9, 64, 0),
        (150, 16, 96, 11, 64, 0),  # a row begins in the middle of a line
        (100, 9, 32, 7, 32, 0),
        (150, 20, 48, 8, 64, 0),  # a row that is smaller than a line lies in two
        (150, 12, 64, 7, 64, 30),  # what is left of the cache holds no line
    ):
        index = torch.randint(rows, (accesses,), generator=generator)
        cases.append(
            {
                "index": index,
                "row_bytes": row_bytes,
                "cache_bytes": lines * line_bytes + rest,
                "line_bytes": line_bytes,
            }
        )
    return cases


CACHE_MISSES = Check(
    name="cache_misses",
    drive=_drive_cache_misses,
    inputs=_inputs_cache_misses,
    judge=values_judge(
        {
            "misses": "the number of cache misses",
            "changed": "the number is right but the list of rows that you were given was changed",
        },
        rtol=0.0,
        atol=0.0,
    ),
)


# 5.8 · costs, predicted


def _drive_branch_costs(branch_costs: Any, case: Values) -> Values:
    costs = returned_dictionary(branch_costs(**case))
    return {repr(name): cost for name, cost in costs.items()}


def _inputs_branch_costs(seed: int) -> list[Values]:
    pick = picker(seed)

    return [
        {
            "in_channels": pick(6, 8, 12),
            "out_channels": pick(16, 32, 64),
            "resolution": pick(8, 12, 16),
            "points": pick(500, 1024, 2048),
        }
        for _ in range(4)
    ]


BRANCH_COSTS = Check(
    name="branch_costs", drive=_drive_branch_costs, inputs=_inputs_branch_costs, judge=counts_judge()
)
