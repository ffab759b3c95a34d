"""Time by kind of layer: each layer's time goes to its kind, what is left to the rest, and nothing counts twice."""

from __future__ import annotations

import time

import pytest
import torch
from torch import Tensor, nn

from efficientlab.counters import Ratio
from efficientlab.counters.kind_latency import REST, kind_seconds


class Busy(nn.Module):
    """Keeps the processor busy for a number of milliseconds."""

    def __init__(self, milliseconds: float) -> None:
        super().__init__()
        self.seconds = milliseconds / 1e3

    def forward(self, x: Tensor) -> Tensor:
        end = time.process_time() + self.seconds
        while time.process_time() < end:
            pass
        return x


class Long(Busy):
    pass


def kind_of(layer: nn.Module) -> str | None:
    return "long" if isinstance(layer, Long) else "short" if isinstance(layer, Busy) else None


class Net(nn.Module):
    def __init__(self, scale: float) -> None:
        super().__init__()
        self.layers = nn.Sequential(Long(3 * scale), nn.Identity(), Busy(scale), Busy(scale))
        self.functional = Busy(4 * scale)

    def forward(self, x: Tensor) -> Tensor:
        return self.functional.forward(self.layers(x))  # no module's call: no hook sees it


def test_each_kind_has_its_time() -> None:
    spent = kind_seconds({"one": Net(1), "two": Net(2)}, torch.zeros(1), kind_of, rounds=10)
    assert [set(kinds) for kinds in spent.values()] == [{"long", "short", REST}] * 2
    assert all(len(times) == 10 for kinds in spent.values() for times in kinds.values())
    one, two = spent["one"], spent["two"]
    for kind, expected in (
        ("long", 3),
        ("short", 2),
        (REST, 4),
    ):  # ms; the clock's ticks and Python add to it
        assert Ratio.of(one[kind], [expected * 1e-3] * 10).above(0.99)
        assert Ratio.of(one[kind], [expected * 1e-3] * 10).below(1.3)
        assert Ratio.of(two[kind], one[kind]).above(1.6)


def test_nothing_is_left_behind() -> None:
    net = Net(0.1)
    kind_seconds({"net": net}, torch.zeros(1), kind_of, rounds=10)
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in net.modules())


def test_a_layer_inside_another_is_refused() -> None:
    with pytest.raises(ValueError, match="count twice"):
        kind_seconds({"net": Net(0.1)}, torch.zeros(1), lambda layer: type(layer).__name__)


def test_few_rounds_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 10"):
        kind_seconds({"net": Net(0.1)}, torch.zeros(1), kind_of, rounds=9)
