"""The camera branch: features of pixels, spread over depths that the network is not sure of, pooled on the ground.

Philion and Fidler, "Lift, Splat, Shoot" (ECCV 2020). That the network is told where each pixel looks is the idea of
Li et al., "BEVDepth" (AAAI 2023): the depth of a flat road follows from it.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from efficientlab.datasets.streets.views import Views
from efficientlab.kernels import BEVGrid, bev_index, bev_pool
from efficientlab.models.streets.geometry import feature_pixels, lifted_points, rays

STRIDE = 2
"""Pixels of the picture that a cell of the feature map is wide: at 4, one row would hold all road beyond 10 m."""


def conv_layer(in_channels: int, out_channels: int, stride: int = 1, kernel: int = 3) -> nn.Sequential:
    """A convolution with batch norm and ReLU."""
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(out_channels),
        nn.ReLU(inplace=True),
    )


class CameraBranch(nn.Module):
    """Pictures to features on the ground.

    Args:
        channels: C of the result.
        grid: the cells on the ground.
        depths: (start, stop, number) of the candidate depths in metres; the last is before `stop`.

    Shapes: Views of N streets → (N, C, X, Y), and the weights of the depths (N, M, D, H, W).
    """

    depths: Tensor

    def __init__(
        self, channels: int, grid: BEVGrid, depths: tuple[float, float, int] = (1.0, 22.0, 24)
    ) -> None:
        super().__init__()
        start, stop, count = depths
        self.channels, self.grid = channels, grid
        self.register_buffer("depths", torch.linspace(start, stop, count + 1)[:-1])
        self.fine = nn.Sequential(conv_layer(6, 16, 2), conv_layer(16, 32), conv_layer(32, 32))
        self.coarse = nn.Sequential(conv_layer(32, 64, 2), conv_layer(64, 64), nn.Conv2d(64, 32, 1))
        self.head = nn.Sequential(conv_layer(32, 32), nn.Conv2d(32, count + channels, 1))
        self.trust = nn.Parameter(torch.ones(()))
        self.flat = conv_layer(channels + 1, channels, kernel=1)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, views: Views) -> tuple[Tensor, Tensor]:
        depth, features = self.lift(views)
        features = F.pad(features, (0, 0, 0, 0, 0, 1), value=1.0)  # (N, M, C + 1, H, W)
        return self.settle(bev_pool(depth, features, bev_index(self.points(views), self.grid))), depth

    def settle(self, pooled: Tensor) -> Tensor:
        """What a cell says by how much: sums (N, C + 1, X, Y), the last of ones, to features (N, C, X, Y).

        A cell before the bumper gets dozens of times the pixels of one at the grid's edge. So sums are divided by the
        weight that fell into the cell, and the weight itself becomes a channel, as a logarithm.
        """
        weight = pooled[:, -1:]
        mean = pooled[:, :-1] / (weight + 0.1)
        return self.flat(torch.cat([mean, torch.log1p(weight)], 1))

    def lift(self, views: Views) -> tuple[Tensor, Tensor]:
        """Weights of the depths (N, M, D, H, W), which add up to 1 in every pixel, and features (N, M, C, H, W)."""
        n, m = views.image.shape[:2]
        x = torch.cat([views.image / 127.5 - 1, _directions(views)], 2).flatten(0, 1)  # (NM, 6, H, W)
        fine = self.fine(x.to(memory_format=torch.channels_last))  # (NM, 32, H/2, W/2)
        x = F.relu(fine + F.interpolate(self.coarse(fine), size=fine.shape[2:], mode="nearest"))
        depth, features = self.head(x).split([len(self.depths), self.channels], 1)
        depth = depth.unflatten(0, (n, m)) + self.trust * self.as_flat_road(views)  # (N, M, D, H, W)
        return depth.softmax(2), features.unflatten(0, (n, m))

    def as_flat_road(self, views: Views) -> Tensor:
        """(N, M, D, H, W): −log(1 + (d − g)²), where a pixel would see flat road at depth g, in metres.

        What the network adds has to say no more than where the world is not flat. Beyond the last depth, and above
        the horizon, g is the last.
        """
        down = -_rays(views, STRIDE)[..., 2]  # (N, M, H, W), in a metre of depth
        up = views.to_rig[:, :, 2, 3, None, None]
        road = torch.where(down > 0, up / down.clamp(min=1e-3), torch.inf).clamp(max=float(self.depths[-1]))
        return -torch.log1p((self.depths[:, None, None] - road[:, :, None]) ** 2)

    def points(self, views: Views) -> Tensor:
        """Where the depths of the feature map's pixels lie: (N, M, D, H, W, 3), in metres in the rig's frame."""
        return lifted_points(_rays(views, STRIDE), views.to_rig, self.depths)


def _rays(views: Views, stride: int) -> Tensor:
    """(N, M, H, W, 3): `rays` of every `stride`-th pixel of the pictures."""
    height, width = (length // stride for length in views.image.shape[-2:])
    pixels = feature_pixels(height, width, stride).to(views.intrinsics)
    return rays(pixels, views.intrinsics, views.to_rig, views.augment)


def _directions(views: Views) -> Tensor:
    """(N, M, 3, H, W): unit vectors in the rig's frame."""
    return F.normalize(_rays(views, 1), dim=-1).movedim(-1, 2)
