"""Lab 0, the check on the latency meter: exercise 0.7."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor

from efficientlab.exercises.contract import (
    Check,
    Values,
    returned_dictionary,
    values_judge,
)
from efficientlab.exercises.lab0.subjects import SimulatedDevice

# 0.7 · a latency meter


def _drive_median_latency(median_latency: Any, case: Values) -> Values:
    work = case["work"]
    assert isinstance(work, Tensor)
    device = SimulatedDevice(work.tolist(), busy=float(case["busy"]))
    answer = returned_dictionary(
        median_latency(device.run, device.synchronise, device.clock, warmup=case["warmup"], runs=case["runs"])
    )
    out: Values = {str(key): float(value) for key, value in answer.items()}
    return out | {"calls": device.calls}


def _inputs_median_latency(seed: int) -> list[Values]:
    rand = partial(torch.rand, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    cases: list[Values] = []
    for warmup, runs, busy in ((3, 12, 0.0), (2, 9, 0.5), (0, 7, 0.3), (1, 20, 0.0)):
        steady = 1e-3 * (1 + 0.2 * rand(runs))
        steady[runs // 2 :: 5] *= 4  # another program was there
        first = 2e-2 * (1 + rand(warmup))
        cases.append({"work": torch.cat([first, steady]), "warmup": warmup, "runs": runs, "busy": busy})
    return cases


MEDIAN_LATENCY = Check(
    name="median_latency",
    drive=_drive_median_latency,
    inputs=_inputs_median_latency,
    judge=values_judge(
        {
            "median": "the median in seconds",
            "low": "`low`, the lower quartile in seconds,",
            "high": "`high`, the upper quartile in seconds,",
            "calls": "the number of calls, warm-up and timed ones together,",
        },
        rtol=1e-6,
        atol=0.0,
    ),
)
