"""Cases for the ops of `efficientlab.kernels`, at the work that they really do, forward and backward.

A case is made only where its op exists. Forward MACs are derived from the op's definition, by brute force over the
points where it depends on them; a backward pass has the same number again for each operand with a gradient.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import torch
from counters_cases import Case
from counters_parts import Call
from torch import Tensor, nn

from efficientlab import kernels

N, T, C, D, R, P = 2, 4, 8, 6, 5, 20
VOXELS = [(x, y, z) for x, y, z in product(range(4), repeat=3) if (3 * x + 5 * y + 7 * z) % 3 == 0]


def neighbours(reach: int) -> int:
    """Pairs of occupied voxels that differ by at most `reach` along each axis."""
    return sum(
        all(abs(i - j) <= reach for i, j in zip(a, b, strict=True)) for a, b in product(VOXELS, VOXELS)
    )


def parents(stride: int) -> int:
    """Pairs of a voxel and the coarse voxel that holds it, one for each voxel."""
    return sum(len({v for v in VOXELS if tuple(i // stride for i in v) == cell}) for cell in coarse(stride))


def coarse(stride: int) -> set[tuple[int, ...]]:
    return {tuple(i // stride for i in v) for v in VOXELS}


def on(device: str, fn: Callable[..., Any], *inputs: Tensor) -> tuple[nn.Module, tuple[Tensor, ...]]:
    return Call(fn), tuple(x.to(device).requires_grad_() for x in inputs)


def points() -> Tensor:
    """(N, 3, P) coordinates in [0, R − 1], none of them on a voxel's centre."""
    torch.manual_seed(0)
    return torch.rand(N, 3, P) * 0.9 + torch.randint(R - 1, (N, 3, P))


def shift(device: str) -> Any:
    return on(device, lambda x: kernels.temporal_shift(x, T), torch.randn(N * T, C, 3, 3))


def shifted_conv(device: str) -> Any:
    conv = lambda x, w: kernels.shifted_pointwise_conv(x, w, n_frames=T)  # noqa: E731
    return on(device, conv, torch.randn(N * T, C, 3, 3), torch.randn(D, C))


def voxelize(device: str) -> Any:
    coords = points().to(device)
    return on(device, lambda x: kernels.avg_voxelize(x, coords, R), torch.randn(N, C, P))


def devoxelize(device: str) -> Any:
    coords = points().to(device)
    return on(device, lambda x: kernels.trilinear_devoxelize(x, coords), torch.randn(N, C, R, R, R))


def augment(device: str) -> Any:
    drawn = kernels.draw_augmentation(N, (8, 8), generator=torch.Generator().manual_seed(0))
    draw = kernels.Augmentation(*(x.to(device) for x in drawn))
    return on(device, lambda x: kernels.diff_augment(x, draw), torch.randn(N, 3, 8, 8))


def sparse(kernel: int, stride: int) -> Callable[[str], Any]:
    def make(device: str) -> Any:
        coords = torch.tensor([(0, *v) for v in VOXELS], device=device)
        out = coords if stride == 1 else kernels.downsample(coords, stride)
        pairs = kernels.kernel_map(coords, out, kernel, stride)
        conv = lambda x, w: kernels.sparse_conv(x, w, pairs)  # noqa: E731
        return on(device, conv, torch.randn(len(VOXELS), C), torch.randn(kernel**3, C, D))

    return make


def bev(device: str) -> Any:
    """One camera with 3 depths and 2 × 2 pixels: depth d lies at x = d − 0.5, so the first is outside."""
    at = torch.tensor([-0.5, 0.5, 1.5])
    geometry = torch.zeros(1, 1, 3, 2, 2, 3) + torch.stack([at, at + 1, at * 0], 1)[None, None, :, None, None]
    index = kernels.bev_index(geometry.to(device), kernels.BEVGrid((0, 4, 1), (0, 4, 1), (-1, 1)))
    pool = lambda depth, features: kernels.bev_pool(depth, features, index)  # noqa: E731
    return on(device, pool, torch.rand(1, 1, 3, 2, 2), torch.randn(1, 1, C, 2, 2))


def kernel_cases() -> Iterator[Case]:
    """(op, case, make, forward MACs, operands with a gradient, runs on meta)"""
    table = [
        ("temporal_shift", "temporal shift", shift, 0, 1, True),
        ("shifted_pointwise_conv", "shift fused into 1×1", shifted_conv, N * T * 9 * C * D, 2, False),
        (
            "avg_voxelize",
            "average voxelize",
            voxelize,
            N * P * C,
            1,
            False,
        ),  # each point, weighted by 1/count
        ("trilinear_devoxelize", "trilinear devoxelize", devoxelize, N * P * 8 * C, 1, False),  # 8 corners
        ("diff_augment", "DiffAugment", augment, 0, 1, False),
        ("sparse_conv", "sparse conv 3³", sparse(3, 1), neighbours(1) * C * D, 2, False),
        ("sparse_conv", "sparse conv 2³, stride 2", sparse(2, 2), parents(2) * C * D, 2, False),
        ("bev_pool", "BEV pool", bev, (2 * 4) * C, 2, False),  # two depths of four pixels are inside
    ]
    for op, name, make, macs, operands, meta in table:
        if hasattr(kernels, op):
            yield Case(f"kernel: {name}", make, macs, meta=meta)
            yield Case(f"kernel: {name}, backward", make, (1 + operands) * macs, backward=True, meta=meta)


class PVConv(nn.Module):
    """Point-voxel convolution: two 3D convolutions on a grid of R³, beside an MLP on the points."""

    def __init__(self, channels: int, out: int, resolution: int) -> None:
        super().__init__()
        self.resolution = resolution
        self.grid = nn.Sequential(
            nn.Conv3d(channels, out, 3, padding=1), nn.BatchNorm3d(out), nn.LeakyReLU(0.1),
            nn.Conv3d(out, out, 3, padding=1), nn.BatchNorm3d(out), nn.LeakyReLU(0.1),
        )  # fmt: skip
        self.points = nn.Sequential(nn.Conv1d(channels, out, 1), nn.BatchNorm1d(out), nn.ReLU())

    def forward(self, x: Tensor, coords: Tensor) -> Tensor:
        voxels = self.grid(kernels.avg_voxelize(x, coords, self.resolution))
        return kernels.trilinear_devoxelize(voxels, coords) + self.points(x)


class PVCNN(nn.Module):
    """Four PVConvs and a classifier of 50 parts, as in PVCNN at a quarter of its width."""

    def __init__(self) -> None:
        super().__init__()
        widths = [3, 16, 16, 32, 64]
        grids = [16, 16, 8, 8]
        self.blocks = nn.ModuleList(
            PVConv(a, b, r) for a, b, r in zip(widths[:-1], widths[1:], grids, strict=True)
        )
        self.head = nn.Conv1d(64, 50, 1)

    def forward(self, x: Tensor) -> Tensor:
        points = x
        for block in self.blocks:
            x = block(x, kernels.normalize_to_grid(points, block.resolution))
        return self.head(x)
