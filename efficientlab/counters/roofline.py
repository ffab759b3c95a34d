"""The roofline: what this device can reach at a given arithmetic intensity.

Williams, Waterman, Patterson: "Roofline: an insightful visual performance model for multicore architectures",
CACM 2009. With peak rate F (FLOP/s) and memory bandwidth B (byte/s), a computation of intensity I (FLOP/byte)
reaches at most min(F, I·B). Below the ridge I = F/B memory sets the pace, above it arithmetic does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from itertools import cycle
from typing import TYPE_CHECKING, Any

import torch

from efficientlab.counters.latency import latency, timer_for
from efficientlab.counters.text import seconds, si, size, table

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from efficientlab.counters.report import Cost, Measurement


@dataclass(frozen=True)
class Roofline:
    """Both roofs of a device, in FLOP/s and byte/s."""

    device: str
    dtype: str
    flops_per_second: float
    bytes_per_second: float

    @property
    def ridge(self) -> float:
        """The intensity in FLOP/byte at which the two roofs meet."""
        return self.flops_per_second / self.bytes_per_second

    def attainable(self, intensity: float) -> float:
        """FLOP/s that a computation of this intensity can reach."""
        return min(self.flops_per_second, intensity * self.bytes_per_second)

    def bound(self, cost: Cost) -> str:
        """'memory' or 'compute': which roof is lower there."""
        return "memory" if cost.intensity < self.ridge else "compute"

    def seconds(self, cost: Cost) -> float:
        """Least time that the device needs: the longer one of moving the bytes and doing the FLOPs."""
        return max(cost.flops / self.flops_per_second, cost.bytes_moved / self.bytes_per_second)

    def table(self, measurement: Measurement) -> str:
        """Each kind of operator of a measurement, with its bound and the least time it needs here."""
        rows = [
            [op.name, str(op.calls), si(op.macs), size(op.bytes_moved), f"{op.intensity:.1f}",
             self.bound(op), seconds(self.seconds(op))]
            for op in sorted(measurement.ops, key=self.seconds, reverse=True)
            if op.macs or op.bytes_moved
        ]  # fmt: skip
        return table(["operator", "calls", "MACs", "moved", "FLOP/B", "bound", "at least"], rows, str(self))

    def __str__(self) -> str:
        return (
            f"{self.device}, {self.dtype}: {si(self.flops_per_second)}FLOP/s, "
            f"{size(self.bytes_per_second)}/s, ridge at {self.ridge:.1f} FLOP/B"
        )


@cache
def roofline(device: str = "cpu", dtype: torch.dtype = torch.float32) -> Roofline:
    """Measure both roofs of a device: copies, and a square matrix product.

    Takes a second or two, once per process, device and data type. The rates are the best of the runs, as
    roofs should be; they hold for the present number of threads (`torch.set_num_threads`). On a CPU a run takes
    a few milliseconds, so that some fall between two turns of other programs.

    Raises:
        ValueError: for a device that is not there, or meta.
    """
    where = _available(device)
    copy = _Copies(where, dtype)
    bandwidth = copy.bytes_moved / latency(copy, budget=0.5, timer=timer_for(copy, [copy.source])).best
    n = 512 if where.type == "cpu" else 8192
    a, b = torch.ones(n, n, dtype=dtype, device=where), torch.ones(n, n, dtype=dtype, device=where)
    rate = 2 * n**3 / latency(torch.mm, a, b, budget=0.5).best
    name = torch.cuda.get_device_name(where) if where.type == "cuda" else str(where)
    return Roofline(name, str(dtype).removeprefix("torch."), rate, bandwidth)


class _Copies:
    """Copies one large tensor to another, piece by piece: every call the next piece, long out of the caches.

    On a GPU, which works for one program at a time, the piece is the whole.
    """

    def __init__(self, where: torch.device, dtype: torch.dtype) -> None:
        whole, piece = (128, 4) if where.type == "cpu" else (1024, 1024)  # MiB; caches hold far less
        mebibyte = 2**20 // dtype.itemsize  # of numbers
        # no zeros, which would be one page of memory
        self.source = torch.ones(whole * mebibyte, dtype=dtype, device=where)
        self.target = torch.full_like(self.source, 2)
        self.bytes_moved = 2 * piece * 2**20
        self._pieces = cycle(
            zip(self.target.split(piece * mebibyte), self.source.split(piece * mebibyte), strict=True)
        )

    def __call__(self) -> None:
        target, source = next(self._pieces)
        target.copy_(source)


def _available(device: str) -> torch.device:
    where = torch.device(device)
    if where.type == "meta":
        raise ValueError("a roofline is measured, and meta tensors compute nothing: pass 'cpu' or 'cuda'")
    if where.type == "cuda" and not torch.cuda.is_available():
        raise ValueError("device 'cuda' was asked for, but torch finds no GPU here: pass 'cpu'")
    return where


def plot_roofline(roof: Roofline, points: Mapping[str, Cost], ax: Axes | None = None) -> Axes:
    """Roofs and points in logarithmic axes: intensity (FLOP/byte) to rate (FLOP/s).

    A measurement with a latency is a filled dot at the rate that it reached; a cost without one is a hollow
    dot on the roof above it, the best that it can reach. What does no MACs has no place here and raises a
    ValueError.
    """
    import matplotlib.pyplot as plt
    import numpy as np

    idle = [name for name, cost in points.items() if not cost.flops]
    if idle:
        raise ValueError(f"a roofline shows FLOP/s, and these do no MACs: {', '.join(idle)}")
    if ax is None:
        _, ax = plt.subplots(figsize=(7, 4.5), layout="constrained")
    intensities = [cost.intensity for cost in points.values()]
    low, high = min([roof.ridge / 30, *intensities]) / 2, max([roof.ridge * 30, *intensities]) * 2
    x = np.geomspace(low, high, 200)
    ax.loglog(x, [roof.attainable(i) for i in x], color="black", lw=1.5)
    ax.axvline(roof.ridge, color="0.7", lw=0.8, ls=":")
    order = sorted(points, key=lambda name: points[name].intensity)
    for name, cost in points.items():
        spent: Any = getattr(cost, "latency", None)
        rate = cost.flops / spent.median if spent else roof.attainable(cost.intensity)
        (dot,) = ax.loglog(cost.intensity, rate, "o", ms=7, mfc=None if spent else "none")
        above = order.index(name) % 2 == 0  # neighbours write on different sides
        ax.annotate(
            name, (cost.intensity, rate), xytext=(6, 5 if above else -11), textcoords="offset points",
            fontsize=8, color=dot.get_color(), bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.3},
        )  # fmt: skip
    ax.set(
        xlim=(low, high), title=str(roof),
        xlabel="arithmetic intensity (FLOP/byte)", ylabel="rate (FLOP/s)",
    )  # fmt: skip
    ax.title.set_fontsize(9)
    ax.grid(which="major", color="0.92")
    return ax
