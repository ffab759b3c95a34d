import torch
from torch import nn

from efficientlab import kernels


class SPVConv(nn.Module):
    def __init__(self, voxel_layers, in_channels, out_channels, stride):
        super().__init__()
        self.point_layers = nn.Sequential()
        self.point_layers.append(nn.Linear(in_channels, out_channels, bias=False))
        self.point_layers.append(nn.BatchNorm1d(out_channels))
        self.point_layers.append(nn.ReLU(inplace=True))
        self.voxel_layers = voxel_layers
        self.size = float(stride)

    def forward(self, x, z, points, *skips):
        own = self.point_layers(z)
        where = torch.hstack([points[:, :1], points[:, 1:] / self.size])
        convolved = self.voxel_layers(x, *skips)
        both = torch.add(own, kernels.voxel_to_point(convolved.features, convolved.coords, where))
        return convolved.replace(kernels.point_to_voxel(both, where, convolved.coords)), both
