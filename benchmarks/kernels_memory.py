"""Peak memory that a sparse convolution adds, beside spconv's: its map, forward and backward, on the CPU.

    PYTHONPATH=RIVALS python benchmarks/kernels_memory.py [--voxels 100000] [--channels 64]

RIVALS as in kernels_points.py. Each contestant runs in a process of its own, warmed on a small scan first; the
kernel reports the peak of its resident memory since then. Linux only.
"""

from __future__ import annotations

import argparse
import ctypes
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import torch
from kernels_points import Spconv, lidar_voxels
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
    rival = Spconv.find(coords)
    if rival is None:
        raise SystemExit(1)
    x = torch.ones(len(coords), channels)
    kernel = torch.ones(channels, 3, 3, 3, channels)
    how = False, True
    yield "ready"
    _, pairs, counts = rival.map()
    yield "map"
    y = rival.ops.indice_conv(x, kernel, pairs, counts, len(x), *how, algo=rival.algorithm)
    yield "forward"
    grads = rival.ops.indice_conv_backward(x, kernel, y, pairs, counts, *how, algo=rival.algorithm)
    yield "backward"
    del grads


def megabytes(field: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
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
            Path("/proc/self/clear_refs").write_text("5")  # forget the peak so far
            base = megabytes("VmRSS")
        else:
            print(stage, megabytes("VmHWM") - base)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--voxels", type=int, default=100_000)
    parser.add_argument("--channels", type=int, default=64)
    parser.add_argument("--measure", choices=["ours", "spconv"], help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    size = arguments.voxels, arguments.channels
    if arguments.measure:
        measure(arguments.measure, *size)
        return
    peaks = {}
    for name in ("spconv", "ours"):
        command = [sys.executable, __file__, "--voxels", str(size[0]), "--channels", str(size[1])]
        run = subprocess.run([*command, "--measure", name], check=True, capture_output=True, text=True)
        peaks[name] = {stage: float(peak) for stage, peak in map(str.split, run.stdout.splitlines())}
    print(
        f"peak MB added by a 3³ convolution of {size[0]} voxels, {size[1]} channels, up to the end of each stage"
    )
    for stage, peak in peaks["spconv"].items():
        mine = peaks["ours"][stage]
        print(f"  {stage:10} spconv {peak:7.1f}   ours {mine:7.1f}   ratio {mine / peak:.2f}")


if __name__ == "__main__":
    main()
