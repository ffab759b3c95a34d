"""A U-Net over occupied voxels: strided convolutions down, their transposes up, skips by row.

Choy, Gwak and Savarese, "4D Spatio-Temporal ConvNets: Minkowski Convolutional Neural Networks" (CVPR 2019).
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from efficientlab.kernels import SparseTensor, find_voxels, occupied_voxels, point_to_voxel
from efficientlab.models.streets.layers import ConvNorm, Residual, SparseConvTransposed, in_voxels


class Widths(NamedTuple):
    """Channels of the five stages, and how many residual blocks each but the stem has.

    Voxels of the size given at stem and up2, twice as large at down1 and up1, four times at down2.
    """

    stem: int
    down1: int
    down2: int
    up1: int
    up2: int
    blocks_down1: int = 1
    blocks_down2: int = 1
    blocks_up1: int = 1
    blocks_up2: int = 1


WIDTHS = Widths(16, 24, 32, 32, 16)


def stem(in_channels: int, out_channels: int) -> nn.Sequential:
    """Two submanifold convolutions at the finest level."""
    return nn.Sequential(ConvNorm(in_channels, out_channels), ConvNorm(out_channels, out_channels))


class Down(nn.Module):
    """To voxels twice as large, by kernel 2 and stride 2; then residual blocks."""

    def __init__(self, in_channels: int, out_channels: int, blocks: int) -> None:
        super().__init__()
        self.conv = ConvNorm(in_channels, out_channels, kernel_size=2, stride=2)
        self.blocks = nn.Sequential(*(Residual(out_channels, out_channels) for _ in range(blocks)))

    def forward(self, x: SparseTensor) -> SparseTensor:
        y: SparseTensor = self.blocks(self.conv(x))
        return y


class Up(nn.Module):
    """Back to the voxels of `skip`, whose features are appended row by row; then residual blocks."""

    def __init__(self, in_channels: int, skip_channels: int, out_channels: int, blocks: int) -> None:
        super().__init__()
        self.conv = SparseConvTransposed(in_channels, out_channels, kernel_size=2, stride=2)
        self.norm = nn.BatchNorm1d(out_channels)
        wide = out_channels + skip_channels
        self.blocks = nn.Sequential(
            *(Residual(wide if i == 0 else out_channels, out_channels) for i in range(blocks))
        )

    def forward(self, x: SparseTensor, skip: SparseTensor) -> SparseTensor:
        up = F.relu(self.norm(self.conv(x, skip).features))  # (V, out), in the rows of the skip
        y: SparseTensor = self.blocks(skip.replace(torch.cat([up, skip.features], 1)))
        return y


class SparseUNet(nn.Module):
    """Three levels of occupied voxels; every point takes the logits of its voxel.

    Args:
        in_channels: of a point's features; a voxel gets the mean of its points'.
        classes: labels.
        size: of a voxel, in metres.
        widths: channels and blocks of the stages.

    Shapes: features (N, in_channels, P) and points (N, 3, P), in metres → (N, classes, P).
    """

    def __init__(self, in_channels: int, classes: int, size: float, widths: Widths = WIDTHS) -> None:
        super().__init__()
        w = widths
        self.size = size
        self.stem = stem(in_channels, w.stem)
        self.down1 = Down(w.stem, w.down1, w.blocks_down1)
        self.down2 = Down(w.down1, w.down2, w.blocks_down2)
        self.up1 = Up(w.down2, w.down1, w.up1, w.blocks_up1)
        self.up2 = Up(w.up1, w.stem, w.up2, w.blocks_up2)
        self.head = nn.Linear(w.up2, classes)

    def forward(self, features: Tensor, points: Tensor) -> Tensor:
        at = in_voxels(points, self.size)  # (N · P, 4)
        coords = occupied_voxels(at)  # (V, 4)
        x = SparseTensor(coords, point_to_voxel(features.mT.flatten(0, 1), at, coords))
        fine = self.stem(x)
        down1 = self.down1(fine)
        x = self.up1(self.down2(down1), down1)
        x = self.up2(x, fine)
        logits = self.head(x.features)[find_voxels(coords, at.floor().int())]  # (N · P, classes)
        return logits.unflatten(0, (len(points), -1)).mT
