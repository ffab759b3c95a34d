"""The layers of sparse networks: convolutions over occupied voxels, with batch norm, and residual blocks of them."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from efficientlab.kernels import SparseTensor


class SparseConv(nn.Module):
    """A sparse convolution without bias: submanifold for stride 1, else onto the coarser voxels.

    `weight` is (K, C_in, C_out) with K = kernel_size³, in the order of `kernels.kernel_offsets`.

    Args:
        in_channels, out_channels: C_in and C_out.
        kernel_size, stride: the same along x, y and z.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int = 3, stride: int = 1) -> None:
        super().__init__()
        self.kernel_size, self.stride = kernel_size, stride
        self.weight = nn.Parameter(torch.empty(kernel_size**3, in_channels, out_channels))
        bound = (3 / (kernel_size**3 * in_channels)) ** 0.5  # a variance of 1 / fan-in
        nn.init.uniform_(self.weight, -bound, bound)

    def forward(self, x: SparseTensor) -> SparseTensor:
        return x.conv(self.weight, self.kernel_size, self.stride)


class SparseConvTransposed(SparseConv):
    """The way back: onto the voxels of `to`, from which a convolution of the same kernel and stride led here."""

    def forward(self, x: SparseTensor, to: SparseTensor) -> SparseTensor:  # type: ignore[override]
        return x.conv_transposed(self.weight, to, self.kernel_size, self.stride)


class ConvNorm(nn.Module):
    """Sparse convolution, batch norm over the voxels, ReLU."""

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int = 3, stride: int = 1) -> None:
        super().__init__()
        self.conv = SparseConv(in_channels, out_channels, kernel_size, stride)
        self.norm = nn.BatchNorm1d(out_channels)

    def forward(self, x: SparseTensor) -> SparseTensor:
        x = self.conv(x)
        return x.replace(F.relu(self.norm(x.features)))


class Residual(nn.Module):
    """Two submanifold convolutions beside a shortcut, which is a matrix where the widths differ.

    y = relu(norm(conv(relu(norm(conv(x))))) + shortcut(x))
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.first = ConvNorm(in_channels, out_channels)
        self.second = SparseConv(out_channels, out_channels)
        self.norm = nn.BatchNorm1d(out_channels)
        self.shortcut: nn.Module | None = None
        if in_channels != out_channels:
            self.shortcut = nn.Linear(in_channels, out_channels, bias=False)

    def forward(self, x: SparseTensor) -> SparseTensor:
        own = x.features if self.shortcut is None else self.shortcut(x.features)
        x = self.second(self.first(x))
        return x.replace(F.relu(self.norm(x.features) + own))


def point_layers(in_channels: int, out_channels: int) -> nn.Sequential:
    """The same matrix for every point, batch norm, ReLU: (P, C_in) → (P, C_out)."""
    return nn.Sequential(
        nn.Linear(in_channels, out_channels, bias=False), nn.BatchNorm1d(out_channels), nn.ReLU()
    )


def in_voxels(points: Tensor, size: float) -> Tensor:
    """Clouds (N, 3, P) in metres as rows (N · P, 4): the cloud's number, and x, y, z in voxels of `size` metres."""
    n, _, p = points.shape
    cloud = torch.arange(n, device=points.device, dtype=points.dtype).repeat_interleave(p)  # (N · P,)
    return torch.cat([cloud[:, None], points.mT.flatten(0, 1) / size], 1)
