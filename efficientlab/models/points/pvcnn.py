"""Networks that read voxels, alone or with points: a dense voxel CNN, and the Point-Voxel CNN.

Liu, Tang, Lin and Han, "Point-Voxel CNN for Efficient 3D Deep Learning" (NeurIPS 2019).
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from efficientlab.kernels import avg_voxelize, normalize_to_grid, trilinear_devoxelize
from efficientlab.models.points.pointnet import PointHead, scaled, shared_mlp

Branches = Literal["both", "voxels", "points"]


def voxel_layers(in_channels: int, out_channels: int) -> nn.Sequential:
    """Two 3×3×3 convolutions with batch norm and leaky ReLU: (N, C_in, R, R, R) → (N, C_out, R, R, R)."""
    layers: list[nn.Module] = []
    for i, o in ((in_channels, out_channels), (out_channels, out_channels)):
        layers += [
            nn.Conv3d(i, o, 3, padding=1, bias=False),
            nn.BatchNorm3d(o),
            nn.LeakyReLU(0.1, inplace=True),
        ]
    return nn.Sequential(*layers)


class PVConv(nn.Module):
    """Point-voxel convolution: neighbourhoods on a coarse grid, details at each point, and their sum.

        y = devoxelize(convolve(voxelize(x))) + mlp(x)

    Args:
        in_channels, out_channels: of a point's features.
        resolution: R, voxels along an axis.
        branches: "voxels" leaves out the point branch, "points" the voxel branch.

    Shapes: features (N, C_in, P) and points (N, 3, P) → (N, C_out, P).
    """

    def __init__(
        self, in_channels: int, out_channels: int, resolution: int, branches: Branches = "both"
    ) -> None:
        super().__init__()
        self.resolution = resolution
        self.voxel_layers = None if branches == "points" else voxel_layers(in_channels, out_channels)
        self.point_layers = None if branches == "voxels" else shared_mlp(in_channels, out_channels)
        self.to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]  # as avg_voxelize gives it

    def forward(self, features: Tensor, points: Tensor) -> Tensor:
        sums = []
        if self.voxel_layers is not None:
            coords = normalize_to_grid(points, self.resolution)  # (N, 3, P)
            voxels = avg_voxelize(features, coords, self.resolution)  # (N, C_in, R, R, R)
            sums.append(trilinear_devoxelize(self.voxel_layers(voxels), coords))  # (N, C_out, P)
        if self.point_layers is not None:
            sums.append(self.point_layers(features))  # (N, C_out, P)
        return sum(sums[1:], sums[0])


class PVCNN(nn.Module):
    """Three point-voxel convolutions, the maximum over all points, and a head that sees all of it.

    Args:
        in_channels: of a point's features.
        classes: part labels.
        width: scales every layer's channels.
        resolution: scales the grids, 32³, 16³ and 16³ at 1.
        block: `block(in_channels, out_channels, R)` makes a layer with `PVConv`'s shapes.

    Shapes: features (N, in_channels, P) and points (N, 3, P) → (N, classes, P).
    """

    def __init__(
        self,
        in_channels: int = 6,
        classes: int = 35,
        width: float = 1.0,
        resolution: float = 1.0,
        block: Callable[[int, int, int], nn.Module] = PVConv,
    ) -> None:
        super().__init__()
        widths = scaled((64, 128, 128), width)
        grids = scaled((32, 16, 16), resolution)
        (last,) = scaled((1024,), width)
        self.blocks = nn.ModuleList(
            block(i, o, r) for i, o, r in zip((in_channels, *widths), widths, grids, strict=False)
        )
        self.cloud = shared_mlp(widths[-1], last)
        self.head = PointHead(sum(widths), last, scaled((512, 256), width), classes)

    def forward(self, features: Tensor, points: Tensor) -> Tensor:
        own = []
        for block in self.blocks:
            features = block(features, points)  # (N, C, P)
            own.append(features)
        return self.head(torch.cat(own, 1), self.cloud(features).max(2).values)


class EachVoxel(nn.Linear):
    """The same matrix for every voxel: (N, C_in, R, R, R) → (N, C_out, R, R, R).

    A 1×1×1 convolution, as one product of rows: PyTorch's copies channels_last_3d to another format and back.
    """

    def forward(self, voxels: Tensor) -> Tensor:
        rows = voxels.movedim(1, -1)  # (N, R, R, R, C_in)
        return super().forward(rows.flatten(0, 3)).unflatten(0, rows.shape[:4]).movedim(-1, 1)


class VoxelCNN(nn.Module):
    """A dense 3D U-Net on a grid of averaged features, whose logits are interpolated at the points.

    Three levels of R³, (R/2)³ and (R/4)³ voxels with C, 2C and 4C channels; coarse levels are added to finer ones.

    Args:
        in_channels: of a point's features.
        classes: part labels.
        channels: C.
        resolution: R, a multiple of 4.

    Shapes: features (N, in_channels, P) and points (N, 3, P) → (N, classes, P).

    Raises:
        ValueError: the resolution is not a multiple of 4.
    """

    def __init__(
        self, in_channels: int = 6, classes: int = 35, channels: int = 24, resolution: int = 16
    ) -> None:
        super().__init__()
        if resolution < 4 or resolution % 4:
            raise ValueError(f"resolution must be a multiple of 4, got {resolution}")
        self.resolution = resolution
        c = (channels, 2 * channels, 4 * channels)
        self.levels = nn.ModuleList(voxel_layers(i, o) for i, o in pairwise((in_channels, *c)))
        self.lift = nn.ModuleList(EachVoxel(o, i) for i, o in pairwise(c))
        self.head = EachVoxel(channels, classes)
        self.to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]  # as avg_voxelize gives it

    def forward(self, features: Tensor, points: Tensor) -> Tensor:
        coords = normalize_to_grid(points, self.resolution)
        x = avg_voxelize(features, coords, self.resolution)  # (N, C_in, R, R, R)
        levels = []
        for i, layers in enumerate(self.levels):
            x = layers(F.max_pool3d(x, 2) if i else x)  # (N, 2^i C, R/2^i, …)
            levels.append(x)
        for finer, lift in zip(levels[-2::-1], reversed(self.lift), strict=True):
            x = finer + F.interpolate(lift(x), scale_factor=2.0, mode="trilinear")
        return trilinear_devoxelize(self.head(x), coords)  # (N, classes, P)
