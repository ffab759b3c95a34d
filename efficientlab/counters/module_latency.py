"""Where the time goes: the forward time of each module, by clocks in hooks."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from contextlib import ExitStack
from typing import Any

from torch import nn
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook

from efficientlab.counters.latency import Latency, summary, wall_clock

_MIN_RUNS, _MAX_RUNS = 7, 100


def module_latencies(
    run: Callable[[], object], modules: Collection[nn.Module], budget: float = 0.5
) -> dict[nn.Module, Latency]:
    """Latency of each module's forward, with everything inside it, over repeated calls of `run`.

    A module that is called several times in one run counts with the sum. The clock itself adds about a
    microsecond a call. On a GPU the hooks wait for the device, so that each module is charged with its own
    kernels; the modules then take longer together than an undisturbed run does.
    """
    started: dict[nn.Module, float] = {}
    spent: dict[nn.Module, float] = {}
    samples: dict[nn.Module, list[float]] = {module: [] for module in modules}

    def enter(module: nn.Module, *_: Any) -> None:
        if module in samples:
            started[module] = wall_clock()

    def leave(module: nn.Module, *_: Any) -> None:
        if module in samples:
            spent[module] = spent.get(module, 0.0) + wall_clock() - started[module]

    run()
    end = time.perf_counter() + budget
    runs = 0
    with ExitStack() as hooks:
        hooks.callback(register_module_forward_pre_hook(enter).remove)
        hooks.callback(register_module_forward_hook(leave).remove)
        while runs < _MIN_RUNS or (runs < _MAX_RUNS and time.perf_counter() < end):
            spent.clear()
            run()
            runs += 1
            for module, total in spent.items():
                samples[module].append(total)
    return {module: summary(times) for module, times in samples.items() if times}
