"""Lab 0, the check on the latency meter: exercise 0.7."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor

from efficientlab.exercises.cases import but_defaults
from efficientlab.exercises.contract import (
    Check,
    Values,
    is_number,
    returned_dictionary,
    values_judge,
)
from efficientlab.exercises.lab0.subjects import SimulatedDevice

# 0.7 · a latency meter


DEFAULTS: Values = {"warmup": 3, "runs": 15}


def _drive_median_latency(median_latency: Any, case: Values) -> Values:
    work = case["work"]
    assert isinstance(work, Tensor)
    device = SimulatedDevice(work.tolist(), busy=float(case["busy"]))
    options = but_defaults(DEFAULTS, warmup=case["warmup"], runs=case["runs"])
    answer = returned_dictionary(median_latency(device.run, device.synchronise, device.clock, **options))
    out: Values = {"calls": device.calls, "own_clock": device.looks == 0}
    if device.looks == 0:  # these seconds passed here, and are others every time
        return out
    return out | {str(key): float(value) for key, value in answer.items() if is_number(value)}


def _inputs_median_latency(seed: int) -> list[Values]:
    rand = partial(torch.rand, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    cases: list[Values] = []
    for warmup, runs, busy in ((3, 12, 0.0), (2, 9, 0.5), (0, 7, 0.3), (1, 20, 0.0), (3, 15, 0.2)):
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
            "calls": "the number of times that `run` was called, for warm-up and to be timed,",
            "own_clock": "`clock` was never asked: the device has a clock of its own, and seconds are seconds of it",
            "median": "the median in seconds",
            "low": "`low`, the lower quartile in seconds as `Tensor.quantile` computes it,",
            "high": "`high`, the upper quartile in seconds as `Tensor.quantile` computes it,",
        },
        rtol=1e-6,
        atol=0.0,
    ),
)
