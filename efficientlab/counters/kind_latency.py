"""Which kind of layer takes the time: clocks around each layer, in interleaved runs of several networks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from efficientlab.counters.latency import RUNS_A_ROUND, processor_clock, refuse_few, wall_clock

REST = "the rest"


def kind_seconds(
    nets: Mapping[str, nn.Module],
    x: Tensor,
    kind_of: Callable[[nn.Module], str | None],
    *,
    rounds: int = 20,
    seed: int = 0,
) -> dict[str, dict[str, list[float]]]:
    """Seconds of each network's forward pass by kind of layer: network → kind → one number a round.

    Every round runs all networks three times, in random order, and keeps the fastest run of each. What disturbs the
    machine disturbs all of a round, so numbers of one round may be divided by each other: `Ratio.of` does it. On a CPU
    the clock is the processor's; on a GPU each layer is waited for. A clock costs about a microsecond a layer.

    Args:
        nets: in evaluation mode, on the device of x.
        x: what all of them are given.
        kind_of: a layer's kind, None where it has none. No layer with a kind may hold another.
        rounds: at least 10.
        seed: of the order.

    Returns:
        The kinds that ran, and `REST`: functional calls, sums, layers without a kind, and Python between them.

    Raises:
        ValueError: fewer than 10 rounds; a layer with a kind inside of another.
    """
    refuse_few(rounds)
    clock = wall_clock if x.is_cuda else processor_clock()
    order = np.random.default_rng(seed)
    spent: dict[str, dict[str, list[float]]] = {name: {} for name in nets}
    now: dict[str, float] = {}
    started: list[float] = []

    def enter(*_: Any) -> None:
        if started:
            raise ValueError("a layer with a kind holds another one: its time would count twice")
        started.append(clock())

    def leave(kind: str) -> Callable[..., None]:
        def add(*_: Any) -> None:
            now[kind] = now.get(kind, 0.0) + clock() - started.pop()

        return add

    def run(net: nn.Module) -> dict[str, float]:
        now.clear()
        start = clock()
        net(x)
        whole = clock() - start
        return {**now, REST: whole - sum(now.values())}

    with torch.inference_mode(), ExitStack() as hooks:
        for layer in {layer: None for net in nets.values() for layer in net.modules()}:
            kind = kind_of(layer)
            if kind is not None:
                hooks.callback(layer.register_forward_pre_hook(enter).remove)
                hooks.callback(layer.register_forward_hook(leave(kind)).remove)
        for name in nets:
            run(nets[name])  # warms up
        for _ in range(rounds):
            for i in order.permutation(len(nets)):
                name = list(nets)[i]
                runs = [run(nets[name]) for _ in range(RUNS_A_ROUND)]
                for kind, seconds in min(runs, key=lambda parts: sum(parts.values())).items():
                    spent[name].setdefault(kind, []).append(seconds)
    return spent
