"""What lab 0's checks put under the student's meters: small networks to count, and a device to time."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class SimulatedDevice:
    """A device that works while Python goes on, as a GPU does, with a clock of its own: exact and repeatable.

    `run` puts a piece of work into the queue and comes back after `launch` seconds; the device does its work in
    order. `synchronise` waits until the queue is empty. The i-th piece takes `work[i]` seconds, and later ones
    as long as the last. The device is busy with something else for the first `busy` seconds.
    """

    def __init__(self, work: Sequence[float], launch: float = 1e-5, busy: float = 0.0) -> None:
        self.work = list(work)
        self.launch = launch
        self.calls = 0
        self.looks = 0  # at the clock
        self._now = 0.0
        self._free = busy

    def clock(self) -> float:
        """Seconds, as `time.perf_counter` gives them."""
        self.looks += 1
        return self._now

    def run(self) -> None:
        self._now += self.launch
        seconds = self.work[min(self.calls, len(self.work) - 1)]
        self._free = max(self._free, self._now) + seconds
        self.calls += 1

    def synchronise(self) -> None:
        self._now = max(self._now, self._free)


class _Sums(nn.Module):
    """Calls the same layer twice, and another one on a sequence."""

    def __init__(self, c: int) -> None:
        super().__init__()
        self.twice = nn.Conv2d(c, c, 3, padding=1)
        self.head = nn.Linear(c, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = self.twice(F.relu(self.twice(x)))  # (N, C, H, W)
        return self.head(x.flatten(2).transpose(1, 2))  # (N, H·W, 5)


class _TwoNames(nn.Module):
    """Holds the same layer under two names, of which `named_modules` gives the first."""

    def __init__(self, c: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(c, c, 3, padding=1)
        self.body = nn.Sequential(self.first, nn.ReLU())

    def forward(self, x: Tensor) -> Tensor:
        return self.body(self.first(x))


class _Pointwise(nn.Conv2d):
    """A convolution of a class of its own."""


class _Raises(nn.Module):
    """A network that fails after its first layer."""

    def __init__(self, c: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(c, c, 1)

    def forward(self, x: Tensor) -> Tensor:
        self.conv(x)
        raise RuntimeError("this network fails on purpose")


class _Unused(nn.Module):
    """Has a layer that never runs."""

    def __init__(self, c: int) -> None:
        super().__init__()
        self.used, self.unused = nn.Linear(c, 3), nn.Linear(c, 7)

    def forward(self, x: Tensor) -> Tensor:
        return self.used(x)


class _TwoInputs(nn.Module):
    """Takes a picture and a vector."""

    def __init__(self, c: int) -> None:
        super().__init__()
        self.look, self.read = _Pointwise(c, 3, 1), nn.Linear(c, 3)

    def forward(self, picture: Tensor, vector: Tensor) -> Tensor:
        return self.look(picture).mean((2, 3)) + self.read(vector)  # (N, 3)


def _mixed_modes(c: int) -> nn.Module:
    """A network that came in evaluation mode, with a part that somebody is training."""
    last = nn.Conv2d(4, 2, 3)
    model = nn.Sequential(nn.Conv2d(c, 4, 1), nn.Sequential(nn.BatchNorm2d(4), last)).eval()
    last.train()
    return model


def network(kind: str, c: int) -> nn.Module:
    """A small network with `c` channels; `subject_inputs` has what it takes."""
    if kind == "family":
        return nn.Sequential(
            nn.Conv2d(c, 2 * c, 3, padding=1, groups=c),
            nn.BatchNorm2d(2 * c),
            nn.ReLU(),
            nn.Conv2d(2 * c, c, (3, 1), stride=2, dilation=2, bias=False),
            nn.ConvTranspose2d(c, 3, 4, stride=2, padding=1),
        )
    if kind == "3D":
        return nn.Sequential(nn.Conv3d(c, 3, 3, padding=1, bias=False), nn.ConvTranspose3d(3, 2, 2, stride=2))
    if kind == "1D":
        inner = nn.Sequential(nn.Dropout(), nn.Conv1d(4, 2, 3, stride=2))
        return nn.Sequential(nn.Conv1d(c, 4, 5), inner, nn.ConvTranspose1d(2, 6, 4, stride=3, groups=2))
    if kind == "itself":  # its name is empty
        return nn.Conv2d(c, 5, 3)
    kinds = {
        "twice": _Sums,
        "two names": _TwoNames,
        "raises": _Raises,
        "unused": _Unused,
        "two inputs": _TwoInputs,
        "evaluation": _mixed_modes,
    }
    return kinds[kind](c)


def subject_inputs(kind: str, n: int, c: int, side: int) -> tuple[Tensor, ...]:
    """Zeros in the shapes that `network(kind, c)` takes."""
    if kind == "two inputs":
        return torch.zeros(n, c, side, side + 2), torch.zeros(n, c)
    shape = {"3D": (side, side + 1, 4), "1D": (side,), "unused": ()}.get(kind, (side, side + 2))
    return (torch.zeros(n, *((c, *shape) if shape else (2, c))),)
