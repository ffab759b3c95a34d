"""the fused map is right, but the convolution or the batch norm is frozen: both are trained."""

import torch
from torch import Tensor, nn


class ConvFuser(nn.Module):
    """Fuses the camera's map and the LiDAR's.

    Shapes: camera (N, C1, X, Y) or None; lidar (N, C2, X, Y) or None, not both; returns (N, out_channels, X, Y).
    """

    def __init__(self, camera_channels: int, lidar_channels: int, out_channels: int) -> None:
        super().__init__()
        self.channels = (camera_channels, lidar_channels)
        self.conv = nn.Conv2d(camera_channels + lidar_channels, out_channels, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(out_channels).requires_grad_(False)

    def forward(self, camera: Tensor | None, lidar: Tensor | None) -> Tensor:
        there = lidar if camera is None else camera
        n, _, columns, rows = there.shape
        maps = [
            there.new_zeros(n, channels, columns, rows) if given is None else given
            for given, channels in zip((camera, lidar), self.channels, strict=True)
        ]
        return self.norm(self.conv(torch.cat(maps, 1))).relu()
