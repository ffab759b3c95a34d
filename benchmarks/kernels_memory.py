"""Peak memory that a sparse convolution adds on the CPU, beside spconv's: its map, forward and backward.

Rows of benchmarks/kernels.py. Each contestant runs this file in a process of its own, warmed on a small scan first;
the system's kernel reports the peak of its resident memory since then. Linux only.
"""

from __future__ import annotations

import ctypes
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from kernels_points import lidar_voxels
from kernels_rivals import Spconv, find_rival
from torch import Tensor

from efficientlab.kernels import kernel_map, sparse_conv


def ours(coords: Tensor, channels: int) -> Iterator[str]:
    x = torch.ones(len(coords), channels, requires_grad=True)
    weight = torch.ones(27, channels, channels, requires_grad=True)
    yield "ready"
    pairs = kernel_map(coords, coords, 3)
    pairs.plan(False, channels)
    yield "map"
    y = sparse_conv(x, weight, pairs)
    yield "forward"
    grads = torch.autograd.grad(y, (x, weight), y.detach())
    yield "backward"
    del grads


def spconv(coords: Tensor, channels: int) -> Iterator[str]:
    rival = Spconv(coords)
    x = torch.ones(len(coords), channels)
    kernel = torch.ones(channels, 3, 3, 3, channels)
    how = {"inverse": False, "subm": True, "algo": rival.algorithm}
    yield "ready"
    _, pairs, counts = rival.map()
    yield "map"
    y = rival.ops.indice_conv(x, kernel, pairs, counts, len(x), **how)
    yield "forward"
    grads = rival.ops.indice_conv_backward(x, kernel, y, pairs, counts, **how)
    yield "backward"
    del grads


def megabytes(field: str) -> float:
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return int(next(line for line in lines if line.startswith(field)).split()[1]) / 1024


def measure(name: str, voxels: int, channels: int) -> None:
    torch.set_num_threads(1)
    contestant = {"ours": ours, "spconv": spconv}[name]
    for _ in contestant(lidar_voxels(2_000), channels):
        pass
    coords, base = lidar_voxels(voxels), 0.0
    for stage in contestant(coords, channels):
        if stage == "ready":
            ctypes.CDLL(None).malloc_trim(0)  # what is free must not hide what is added
            Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")  # forget the peak so far
            base = megabytes("VmRSS")
        else:
            print(stage, megabytes("VmHWM") - base)


def peaks(name: str, voxels: int, channels: int) -> dict[str, float]:
    """MB added up to the end of each stage, by a process of its own."""
    command = [sys.executable, __file__, name, str(voxels), str(channels)]
    run = subprocess.run(command, check=True, capture_output=True, text=True)
    return {stage: float(peak) for stage, peak in map(str.split, run.stdout.splitlines())}


def memory_records(voxels: int = 100_000, channels: int = 64) -> Iterator[dict[str, Any]]:
    """A record for each stage, as `kernels.run` makes one of a row; none where spconv is not installed."""
    if find_rival(lidar_voxels(1000)) is None:
        return
    added = {name: peaks(name, voxels, channels) for name in ("spconv", "ours")}
    for stage, rival in added["spconv"].items():
        asked = stage == "backward"  # the peak of all three
        yield {
            "op": "sparse_conv, peak memory added",
            "case": f"{voxels // 1000} k voxels, {channels} channels, until the end of {stage}",
            "baseline": "spconv",
            "megabytes": {name: by_stage[stage] for name, by_stage in added.items()},
            "ratio": {name: [by_stage[stage] / rival] for name, by_stage in added.items()},
            "limit": 1.0 if asked else None,
            "stretch": 0.8 if asked else None,
        }


if __name__ == "__main__":
    measure(sys.argv[1], *map(int, sys.argv[2:]))
