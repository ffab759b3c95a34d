"""Lab 0, the checks on bytes and the roofline: exercises 0.5, 0.6 and 0.8."""

from __future__ import annotations

from typing import Any

from efficientlab.exercises.cases import picker, uniform_numbers
from efficientlab.exercises.contract import (
    Check,
    CheckFailed,
    Values,
    counts_judge,
    is_number,
    kind_of,
    returned_dictionary,
    returned_tuple,
    values_judge,
)

OPS = ("ReLU", "residual sum", "depthwise 3×3", "conv 1×1", "conv 3×3")
"""The operators of exercises 0.5 and 0.6."""


# 0.5 · bytes


def _drive_op_costs(op_costs: Any, case: Values) -> Values:
    costs = returned_dictionary(op_costs(**case))
    out: Values = {}
    for name, triple in costs.items():
        if name not in OPS:
            out[f"the number of MACs of {name!r}"] = True  # shown beside a name that is missing
            continue
        parts = returned_tuple(triple, f"a triple (MACs, bytes read, bytes written) of {name!r}", 3)
        for what, value in zip(("MACs", "bytes read", "bytes written"), parts, strict=True):
            out[f"the number of {what} of {name!r}"] = value
    return out


def _inputs_op_costs(seed: int) -> list[Values]:
    pick = picker(seed)
    return [
        {"n": pick(2, 3), "c": pick(16, 24, 32), "side": pick(7, 14, 20), "itemsize": itemsize}
        for itemsize in (4, 2, 8)
    ]


OP_COSTS = Check(name="op_costs", drive=_drive_op_costs, inputs=_inputs_op_costs, judge=counts_judge())


# 0.6 · memory-bound or not, predicted


def _drive_memory_bound(memory_bound: Any, case: Values) -> Values:
    bound = returned_dictionary(memory_bound, "is")
    return {
        "operators": ", ".join(sorted(map(str, bound))),
        "kinds": ", ".join(sorted({kind_of(value) for value in bound.values()})),
    }


def _judge_memory_bound(inputs: Values, expected: Values, got: Values) -> None:
    given, wanted = (set(str(values["operators"]).split(", ")) for values in (got, expected))
    if given != wanted:
        missing, unknown = ", ".join(sorted(wanted - given)), ", ".join(sorted(given - wanted))
        raise CheckFailed(
            f"missing from the prediction: {missing or 'none'}; not an operator: {unknown or 'none'}."
        )
    if got["kinds"] != "bool":
        raise CheckFailed("every prediction is True (memory sets the pace) or False (arithmetic does).")


MEMORY_BOUND = Check(
    name="memory_bound",
    drive=_drive_memory_bound,
    inputs=lambda seed: [{"operators": len(OPS)}],
    judge=_judge_memory_bound,
)


# 0.8 · the roofline


def _drive_roof(roof: Any, case: Values) -> Values:
    answer = returned_dictionary(roof(**case))
    out: Values = {}
    for key, value in answer.items():
        out[str(key)] = float(value) if is_number(value) else str(value)
    return out


def _inputs_roof(seed: int) -> list[Values]:
    uniform = uniform_numbers(seed)

    cases: list[Values] = []
    for low, high in ((0.1, 0.4), (0.6, 0.9), (1.2, 1.8), (3.0, 9.0)):  # intensity as a multiple of the ridge
        flops_per_second, bytes_per_second = uniform(1e10, 2e13), uniform(5e9, 9e11)
        moved = int(uniform(1e5, 1e8))
        macs = int(uniform(low, high) * flops_per_second / bytes_per_second * moved / 2)
        cases.append(
            {
                "macs": macs,
                "moved": moved,
                "flops_per_second": flops_per_second,
                "bytes_per_second": bytes_per_second,
            }
        )
    copy: Values = {"macs": 0, "moved": int(uniform(1e5, 1e8))}
    return [*cases, copy | {"flops_per_second": 1e12, "bytes_per_second": uniform(5e9, 9e11)}]


ROOF = Check(
    name="roof",
    drive=_drive_roof,
    inputs=_inputs_roof,
    judge=values_judge(
        {
            "intensity": "the intensity, FLOPs per byte,",
            "ridge": "the ridge",
            "bound": "the bound",
            "seconds": "the least time in seconds",
            "rate": "the attainable rate in FLOP/s",
        },
        rtol=1e-6,
        atol=0.0,
    ),
)
