import torch
from torch import nn

from efficientlab import kernels


class PVConv(nn.Module):
    def __init__(self, in_channels, out_channels, resolution):
        super().__init__()
        self.grid = resolution
        layers = []
        for channels in (in_channels, out_channels):
            layers.append(nn.Conv3d(channels, out_channels, (3, 3, 3), 1, 1, bias=False))
            layers.append(nn.BatchNorm3d(out_channels))
            layers.append(nn.LeakyReLU(negative_slope=0.1, inplace=True))
        self.voxel_layers = nn.Sequential(*layers)
        self.point_layers = nn.Sequential(
            nn.Conv1d(in_channels, out_channels, kernel_size=1, bias=False),
            nn.BatchNorm1d(out_channels),
            nn.ReLU(inplace=True),
        )

    def forward(self, features, points):
        where = kernels.normalize_to_grid(points, self.grid)
        fine = self.point_layers(features)
        coarse = self.voxel_layers(kernels.avg_voxelize(features, where, self.grid))
        return torch.add(fine, kernels.trilinear_devoxelize(coarse, where))
