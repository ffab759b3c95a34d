"""A sparse tensor: features of occupied voxels, and the kernel maps that its convolutions share.

Layers at one resolution use the same coordinates, so a map is found once and kept with them: a network of
fifty submanifold convolutions searches for neighbours once per resolution.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import prod

import torch
from torch import Tensor

from efficientlab.kernels.backend import whole
from efficientlab.kernels.sparse.conv import sparse_conv
from efficientlab.kernels.sparse.coords import Size, check_coords, downsample, triple
from efficientlab.kernels.sparse.map import KernelMap, kernel_map


class SparseTensor:
    """Features (V, C) of the voxels coords (V, 4).

    Args:
        coords: (V, 4) integers: batch, x, y, z, distinct; see `occupied_voxels`.
        features: (V, C), real.

    Raises:
        ValueError: shapes do not fit, or coords holds what int32 cannot count.
        TypeError: coords are not integers, or features are on another device.
    """

    def __init__(self, coords: Tensor, features: Tensor) -> None:
        coords = check_coords("coords", coords)
        if features.ndim != 2 or len(features) != len(coords):
            raise ValueError(f"features must be (V, C) with V={len(coords)}, got {tuple(features.shape)}")
        if features.device != coords.device:
            raise TypeError(f"features are on {features.device}, coords on {coords.device}")
        self.level = _Level(coords)
        self.features = features

    @property
    def coords(self) -> Tensor:
        return self.level.coords

    def __repr__(self) -> str:
        voxels, channels = self.features.shape
        return f"SparseTensor({voxels} voxels, {channels} channels, {self.features.dtype})"

    def replace(self, features: Tensor) -> SparseTensor:
        """The same voxels, and maps, with other features (V, D)."""
        return self._at(self.level, features)

    def conv(
        self, weight: Tensor, kernel_size: Size = 3, stride: Size = 1, dilation: Size = 1
    ) -> SparseTensor:
        """Sparse convolution: submanifold for stride 1, else onto `downsample(coords, stride)`.

        Args:
            weight: (K, C, D); see `sparse_conv`.
            kernel_size, stride, dilation: of x, y and z; see `kernel_map`.
        """
        below, pairs = self.level.down(kernel_size, stride, dilation)
        return self._at(below, sparse_conv(self.features, weight, pairs))

    def conv_transposed(
        self, weight: Tensor, to: SparseTensor, kernel_size: Size = 2, stride: Size = 2
    ) -> SparseTensor:
        """The transpose of the convolution that led from the voxels of `to` to these.

        Args:
            weight: (K, C, D).
            to: a tensor before that convolution, as a U-Net keeps for its skip connection.
            kernel_size, stride: those of that convolution.

        Raises:
            ValueError: no such convolution led from `to` to here.
        """
        below, pairs = to.level.down(kernel_size, stride, 1)
        if below is not self.level:
            raise ValueError(f"no convolution of kernel {kernel_size} and stride {stride} led from `to` here")
        return self._at(to.level, sparse_conv(self.features, weight, pairs.T))

    @staticmethod
    def _at(level: _Level, features: Tensor) -> SparseTensor:
        x = SparseTensor(level.coords, features)
        x.level = level
        return x


class _Level:
    """The voxels of one resolution, with the maps and the coarser levels that start from them."""

    def __init__(self, coords: Tensor) -> None:
        self.coords = coords
        self.maps: dict[tuple[object, ...], KernelMap] = {}
        self.coarser: dict[tuple[int, int, int], _Level] = {}

    def down(self, kernel_size: Size, stride: Size, dilation: Size) -> tuple[_Level, KernelMap]:
        """The level that a convolution leads to, and its map."""
        steps = triple("stride", stride)
        key = triple("kernel_size", kernel_size), steps, triple("dilation", dilation)
        if steps == (1, 1, 1):
            below = self
        elif steps in self.coarser:
            below = self.coarser[steps]
        else:
            below = self.coarser[steps] = _Level(downsample(self.coords, steps))
        if key not in self.maps:
            self.maps[key] = kernel_map(self.coords, below.coords, *key)
        return below, self.maps[key]


def sparse_to_dense(coords: Tensor, features: Tensor, shape: Sequence[int]) -> Tensor:
    """Write the features of occupied voxels into a dense grid of zeros.

    Args:
        coords: (V, 4) integers: batch, x, y, z, distinct.
        features: (V, C).
        shape: (N, X, Y, Z) of the grid.

    Returns:
        (N, C, X, Y, Z), in channels_last_3d, differentiable in features.

    Raises:
        ValueError: shapes do not fit, coords has duplicates, or a voxel lies outside of the grid.
        TypeError: coords or shape are not integers, or features are on another device.
    """
    x = SparseTensor(coords, features)
    sizes = [whole("shape", size) for size in shape] if isinstance(shape, Iterable) else []
    if len(sizes) != 4 or min(sizes) < 0:
        raise ValueError(f"shape must be (N, X, Y, Z), got {shape}")
    if prod(sizes) * max(features.shape[1], 1) >= 2**60:
        raise ValueError(f"a grid of shape {tuple(sizes)} is larger than any memory")
    lengths = torch.tensor(sizes, device=coords.device)
    outside = ((x.coords < 0) | (x.coords >= lengths)).any(1)
    if outside.any():
        voxel = tuple(x.coords[outside][0].tolist())
        raise ValueError(f"voxel {voxel} lies outside of the grid of shape {tuple(sizes)}")
    row = torch.zeros(len(coords), dtype=torch.int64, device=coords.device)
    for column, length in zip(x.coords.unbind(1), sizes, strict=True):
        row = row * length + column
    if len(row.unique()) < len(row):
        raise ValueError("coords must be distinct; see occupied_voxels")
    dense = features.new_zeros(prod(sizes), features.shape[1]).index_copy(0, row, features)
    return dense.view(*sizes, features.shape[1]).permute(0, 4, 1, 2, 3)
