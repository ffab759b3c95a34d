"""the grid has 8³ voxels whatever the `resolution`."""

from torch import Tensor, nn

from efficientlab import kernels


class PVConv(nn.Module):
    def __init__(self, in_channels: int, out_channels: int, resolution: int) -> None:
        super().__init__()
        self.resolution = 8
        self.voxel_layers = nn.Sequential(
            nn.Conv3d(in_channels, out_channels, 3, padding=1, bias=False),
            nn.BatchNorm3d(out_channels),
            nn.LeakyReLU(0.1),
            nn.Conv3d(out_channels, out_channels, 3, padding=1, bias=False),
            nn.BatchNorm3d(out_channels),
            nn.LeakyReLU(0.1),
        )
        self.point_layers = nn.Sequential(
            nn.Conv1d(in_channels, out_channels, 1, bias=False), nn.BatchNorm1d(out_channels), nn.ReLU()
        )

    def forward(self, features: Tensor, points: Tensor) -> Tensor:
        coords = kernels.normalize_to_grid(points, self.resolution)  # (N, 3, P)
        voxels = kernels.avg_voxelize(features, coords, self.resolution)  # (N, C_in, R, R, R)
        voxels = self.voxel_layers(voxels)  # (N, C_out, R, R, R)
        return kernels.trilinear_devoxelize(voxels, coords) + self.point_layers(features)  # (N, C_out, P)
