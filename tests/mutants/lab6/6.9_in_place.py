"""all is right, but the points or the features that were given are changed in place: the next block needs them."""

from torch import Tensor, nn

from efficientlab import kernels
from efficientlab.kernels import SparseTensor


class SPVConv(nn.Module):
    """Sparse point-voxel convolution: neighbours from voxels, detail from points, and the voxels refreshed from both.

    Shapes: x of V voxels; z (P, C_in); points (P, 4), in voxels of stride 1; skips for the voxel branch
    → x' of V' voxels with C_out channels, z' (P, C_out).
    """

    def __init__(self, voxel_layers: nn.Module, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        self.voxel_layers = voxel_layers
        self.point_layers = nn.Sequential(
            nn.Linear(in_channels, out_channels, bias=False), nn.BatchNorm1d(out_channels), nn.ReLU()
        )
        self.stride = stride

    def forward(
        self, x: SparseTensor, z: Tensor, points: Tensor, *skips: SparseTensor
    ) -> tuple[SparseTensor, Tensor]:
        x = self.voxel_layers(x, *skips)  # (V', C_out)
        at = points.div_(points.new_tensor([1, self.stride, self.stride, self.stride]))
        z = kernels.voxel_to_point(x.features, x.coords, at) + self.point_layers(z)  # (P, C_out)
        return x.replace(kernels.point_to_voxel(z, at, x.coords)), z
