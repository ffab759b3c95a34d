"""the features are added where they have as many channels as the output: the two branches alone make the sum."""

from torch import nn

from efficientlab import kernels


class PVConv(nn.Module):
    def __init__(self, in_channels, out_channels, resolution):
        super().__init__()
        self.resolution = resolution
        layers = []
        for a in (in_channels, out_channels):
            layers += [
                nn.Conv3d(a, out_channels, 3, padding=1, bias=False),
                nn.BatchNorm3d(out_channels),
                nn.LeakyReLU(0.1),
            ]
        self.voxel_layers = nn.Sequential(*layers)
        self.point_layers = nn.Sequential(
            nn.Conv1d(in_channels, out_channels, 1, bias=False), nn.BatchNorm1d(out_channels), nn.ReLU()
        )

    def forward(self, features, points):
        coords = kernels.normalize_to_grid(points, self.resolution)
        grid = self.voxel_layers(kernels.avg_voxelize(features, coords, self.resolution))
        return (
            kernels.trilinear_devoxelize(grid, coords)
            + self.point_layers(features)
            + (features if features.shape[1] == grid.shape[1] else 0)
        )
