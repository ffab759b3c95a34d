import torch.nn.functional as F
from torch import Tensor, nn


class ConvFuser(nn.Module):
    """A convolution of a concatenation is a sum of convolutions; that of a missing sensor is 0."""

    def __init__(self, camera_channels: int, lidar_channels: int, out_channels: int) -> None:
        super().__init__()
        self.split = camera_channels
        self.conv = nn.Conv2d(
            camera_channels + lidar_channels, out_channels, (3, 3), padding="same", bias=False
        )
        self.norm = nn.BatchNorm2d(out_channels)

    def forward(self, camera: Tensor | None, lidar: Tensor | None) -> Tensor:
        weight = self.conv.weight
        parts = ((camera, weight[:, : self.split]), (lidar, weight[:, self.split :]))
        return F.relu(self.norm(sum(F.conv2d(x, w, padding=1) for x, w in parts if x is not None)))
