"""The LiDAR branch: points into voxels, sparse convolutions, and heights into channels.

The encoder of BEVFusion is SECOND's (Yan, Mao and Li, Sensors 2018), much larger than this one.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from efficientlab.datasets.streets.ragged import Ragged
from efficientlab.kernels import BEVGrid, SparseTensor, occupied_voxels, point_to_voxel, sparse_to_dense
from efficientlab.models.streets.camera import conv_layer


class SparseLayer(nn.Module):
    """A sparse convolution with batch norm and ReLU over the occupied voxels; `kernel` and `stride` of x, y and z.

    Not `layers.ConvNorm`, which has one size for all axes: heights are merged alone here. The shipped networks are
    trained with this start (He et al., for ReLU) and stored with these names.
    """

    def __init__(
        self, in_channels: int, out_channels: int, kernel: tuple[int, int, int], stride: tuple[int, int, int]
    ):
        super().__init__()
        self.kernel, self.stride = kernel, stride
        taps = kernel[0] * kernel[1] * kernel[2]
        scale = (2 / (taps * in_channels)) ** 0.5
        self.weight = nn.Parameter(scale * torch.randn(taps, in_channels, out_channels))
        self.norm = nn.BatchNorm1d(out_channels)

    def forward(self, x: SparseTensor) -> SparseTensor:
        y = x.conv(self.weight, self.kernel, self.stride)
        return y.replace(self.norm(y.features).relu())


class LidarBranch(nn.Module):
    """Points to features on the ground.

    Voxels are half a cell of the grid wide, and there are 16 of them from the lowest to the highest height `z`.
    Two strided convolutions lead to whole cells with 4 heights, which become channels: channel 4 c + z.

    Args:
        channels: C of the result.
        grid: the cells on the ground.
        z: (lowest, highest) in metres; points outside are left out.

    Shapes: points of N sweeps, rows (ΣP, 4) of x, y, z, beam → (N, C, X, Y).
    """

    def __init__(self, channels: int, grid: BEVGrid, z: tuple[float, float] = (-1.0, 3.0)) -> None:
        super().__init__()
        self.grid, self.z = grid, z
        same = (1, 1, 1)
        self.encoder = nn.Sequential(
            SparseLayer(5, 16, (3, 3, 3), same),
            SparseLayer(16, 16, (3, 3, 3), same),
            SparseLayer(16, 32, (2, 2, 2), (2, 2, 2)),
            SparseLayer(32, 32, (3, 3, 3), same),
            SparseLayer(32, 32, (1, 1, 2), (1, 1, 2)),
        )
        self.flat = conv_layer(4 * 32, channels, kernel=1)

    def forward(self, points: Ragged) -> Tensor:
        x = self.encoder(self.voxels(points))
        cells = self.grid.cells
        dense = sparse_to_dense(x.coords, x.features, (len(points), *cells, 4))  # (N, C, X, Y, 4)
        rows = dense.permute(0, 2, 3, 1, 4).flatten(3)  # (N, X, Y, 4 C), in one copy
        return self.flat(rows.movedim(3, 1))

    def voxels(self, points: Ragged) -> SparseTensor:
        """Occupied voxels with five features: the mean place within the voxel, the mean height, and a one."""
        xyz = points.rows[:, :3]
        low = xyz.new_tensor([self.grid.x[0], self.grid.y[0], self.z[0]])
        step = xyz.new_tensor([self.grid.x[2] / 2, self.grid.y[2] / 2, (self.z[1] - self.z[0]) / 16])
        size = xyz.new_tensor([2 * self.grid.cells[0], 2 * self.grid.cells[1], 16])
        place = (xyz - low) / step
        inside = ((place >= 0) & (place < size)).all(1)  # NaN is not
        place, height, scene = place[inside], xyz[inside, 2:], points.scene[inside, None]
        located = torch.cat([scene.to(place), place], 1)  # (P, 4)
        coords = occupied_voxels(located)
        own = torch.cat([place - place.floor() - 0.5, height, torch.ones_like(height)], 1)  # (P, 5)
        return SparseTensor(coords, point_to_voxel(own, located, coords))
