"""Sparse voxels for neighbourhoods, points for detail: the sparse point-voxel convolution, and the network of it.

Tang, Liu, Zhao, Lin, Lin, Wang and Han, "Searching Efficient 3D Architectures with Sparse Point-Voxel Convolution"
(ECCV 2020).
"""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn

from efficientlab.kernels import SparseTensor, occupied_voxels, point_to_voxel, voxel_to_point
from efficientlab.models.streets.layers import in_voxels, point_layers
from efficientlab.models.streets.sparse_unet import WIDTHS, Down, Up, Widths, stem


class SPVConv(nn.Module):
    """A voxel branch and a point branch, and their sum at the points, from which the voxels are refreshed.

        z' = voxel_to_point(voxel_layers(x)) + point_layers(z)
        x' = point_to_voxel(z')

    Args:
        voxel_layers: from voxels to voxels of out_channels; what it takes beside x is handed on to it.
        in_channels: of the points' features z.
        out_channels: of z' and x'.
        stride: the size of the voxels of x', in voxels of size 1.

    Shapes: x of V voxels; z (P, C_in); points (P, 4), batch, x, y, z, in voxels of size 1 → x', z' (P, C_out).
    """

    def __init__(self, voxel_layers: nn.Module, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        self.voxel_layers = voxel_layers
        self.point_layers = point_layers(in_channels, out_channels)
        self.stride = stride

    def forward(
        self, x: SparseTensor, z: Tensor, points: Tensor, *skips: SparseTensor
    ) -> tuple[SparseTensor, Tensor]:
        x = self.voxel_layers(x, *skips)
        at = points / points.new_tensor([1, self.stride, self.stride, self.stride])
        z = voxel_to_point(x.features, x.coords, at) + self.point_layers(z)  # (P, C_out)
        return x.replace(point_to_voxel(z, at, x.coords)), z


Block = Callable[[nn.Module, int, int, int], nn.Module]
"""What makes an `SPVConv` of its arguments; the lab hands in the student's."""


class SPVCNN(nn.Module):
    """`SparseUNet` with a point branch beside it, which meets it after the stem, at the bottom and at the top.

    Args:
        in_channels: of a point's features.
        classes: labels.
        size: of a voxel, in metres.
        widths: channels and blocks of the stages.
        block: makes the point-voxel blocks.

    Shapes: features (N, in_channels, P) and points (N, 3, P), in metres → (N, classes, P).
    """

    def __init__(
        self,
        in_channels: int,
        classes: int,
        size: float,
        widths: Widths = WIDTHS,
        block: Block = SPVConv,
    ) -> None:
        super().__init__()
        w = widths
        self.size = size
        self.stem = block(stem(in_channels, w.stem), in_channels, w.stem, 1)
        self.down1 = Down(w.stem, w.down1, w.blocks_down1)
        self.down2 = block(Down(w.down1, w.down2, w.blocks_down2), w.stem, w.down2, 4)
        self.up1 = Up(w.down2, w.down1, w.up1, w.blocks_up1)
        self.up2 = block(Up(w.up1, w.stem, w.up2, w.blocks_up2), w.down2, w.up2, 1)
        self.head = nn.Linear(w.up2, classes)

    def forward(self, features: Tensor, points: Tensor) -> Tensor:
        at = in_voxels(points, self.size)  # (N · P, 4)
        rows = features.mT.flatten(0, 1)  # (N · P, C)
        coords = occupied_voxels(at)  # (V, 4)
        x = SparseTensor(coords, point_to_voxel(rows, at, coords))
        fine, z = self.stem(x, rows, at)
        down1 = self.down1(fine)
        x, z = self.down2(down1, z, at)
        x = self.up1(x, down1)
        _, z = self.up2(x, z, at, fine)
        return self.head(z).unflatten(0, (len(points), -1)).mT  # (N, classes, P)
