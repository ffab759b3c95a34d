"""Lab 4, the checks on costs, latency and communication: exercises 4.4, 4.5 and 4.8."""

from __future__ import annotations

import math
from typing import Any

from efficientlab.exercises.cases import (
    picker,
    uniform_numbers,
)
from efficientlab.exercises.contract import (
    AnswerError,
    Check,
    CheckFailed,
    Values,
    counts_judge,
    is_number,
    plain,
    returned_dictionary,
    values_judge,
)

# 4.4 · costs, predicted


def _drive_predict_costs(predict_costs: Any, case: Values) -> Values:
    widths = tuple(int(w) for w in str(case["widths"]).split())
    rest = {key: value for key, value in case.items() if key != "widths"}
    costs = returned_dictionary(predict_costs(widths=widths, **rest))
    answer: Values = {}
    for name, given in costs.items():
        pair = given.tolist() if hasattr(given, "tolist") else given  # numpy's and torch's pairs are pairs
        if not isinstance(pair, tuple | list) or len(pair) != 2:
            raise AnswerError("Returned", f"gives {name!r} as {pair!r}; give the pair (MACs, parameters).")
        answer[f"the MACs of {name}"], answer[f"the parameters of {name}"] = map(plain, pair)
    return answer


def _inputs_predict_costs(seed: int) -> list[Values]:
    pick = picker(seed)

    def case(size: int, frames: int, widths: str, hidden: int, classes: int, iterations: int) -> Values:
        return {
            "size": size,
            "frames": frames,
            "widths": widths,
            "hidden": hidden,
            "classes": classes,
            "iterations": iterations,
        }

    drawn = [
        case(
            pick(32, 64, 96),
            pick(2, 4, 8),
            widths,
            pick(16, 24),
            pick(5, 7),
            pick(3, 6),
        )
        for widths in (
            f"{pick(8, 12)} {pick(16, 20)} {pick(24, 40)}",
            f"{pick(8, 12)} {pick(16, 20)}",  # one block a width, however many there are
            f"{pick(8, 12)} {pick(16, 20)} {pick(24, 40)} {pick(28, 48)}",
        )
    ]
    return [case(32, 8, "24 48 96", 48, 12, 12), *drawn]


PREDICT_COSTS = Check(
    name="predict_costs", drive=_drive_predict_costs, inputs=_inputs_predict_costs, judge=counts_judge("are")
)


# 4.5 · latency, predicted

CONTESTANTS = ("TSN", "RGB difference", "TSM", "CNN+LSTM", "two-stream", "3D", "3D narrow")


def _drive_latency_ratios(latency_ratios: Any, case: Values) -> Values:
    ratios = returned_dictionary(latency_ratios, "is")
    numbers = {k: v for k, v in ratios.items() if is_number(v)}
    return {
        "contestants": ", ".join(sorted(map(str, ratios))),
        "numbers": len(numbers) == len(ratios),
        "defined": all(math.isfinite(v) for v in numbers.values()),
        "positive": not any(v <= 0 for v in numbers.values()),
        "TSN": float(numbers.get("TSN", float("nan"))),
    }


def _judge_latency_ratios(inputs: Values, expected: Values, got: Values) -> None:
    given, wanted = (set(str(values["contestants"]).split(", ")) for values in (got, expected))
    if given != wanted:
        missing, unknown = ", ".join(sorted(wanted - given)), ", ".join(sorted(given - wanted))
        raise CheckFailed(
            f"missing from the prediction: {missing or 'none'}; not a contestant: {unknown or 'none'}."
        )
    if got["numbers"] is not True:
        raise CheckFailed(
            "every prediction is a number: how many times TSN's latency this network will take."
        )
    if got["defined"] is not True:
        raise CheckFailed("a prediction is nan or infinite: write a number that you would bet on.")
    if got["positive"] is not True:
        raise CheckFailed("a prediction is 0 or less: every network takes some time, and TSN takes 1.")
    if got["TSN"] != 1.0:
        raise CheckFailed("TSN is the unit of these ratios, so its own is 1.")


LATENCY_RATIOS = Check(
    name="latency_ratios",
    drive=_drive_latency_ratios,
    inputs=lambda seed: [{"unit": "TSN"}],
    judge=_judge_latency_ratios,
)


# 4.8 · the communication of data-parallel training


def _drive_step_cost(step_cost: Any, case: Values) -> Values:
    cost = returned_dictionary(step_cost(**case))
    return {key: float(value) for key, value in cost.items()}


def _inputs_step_cost(seed: int) -> list[Values]:
    uniform = uniform_numbers(seed)

    return [
        {
            "parameters": int(uniform(1e6, 5e7)),
            "macs": int(uniform(1e9, 5e10)),
            "clips": int(uniform(2, 16)),
            "workers": workers,
            "flops_per_second": uniform(1e12, 2e13),
            "bytes_per_second": uniform(1e9, 2e10),
        }
        for workers in (1, 2, 8, 64)
    ]


STEP_COST = Check(
    name="step_cost",
    drive=_drive_step_cost,
    inputs=_inputs_step_cost,
    judge=values_judge(
        {
            "gradient_bytes": "gradient_bytes, the size of all gradients,",
            "sent_bytes": "sent_bytes, what one worker sends in a ring all-reduce,",
            "compute_seconds": "compute_seconds, forward and backward of one worker,",
            "reduce_seconds": "reduce_seconds",
            "efficiency": "efficiency",
        },
        rtol=1e-6,
        atol=0.0,
    ),
)
