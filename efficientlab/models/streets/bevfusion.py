"""BEVFusion in small: cameras and a LiDAR, one bird's-eye view, boxes and a map out of it.

Liu, Tang, Amini, Yang, Mao, Rus and Han, "BEVFusion: Multi-Task Multi-Sensor Fusion with Unified Bird's-Eye View
Representation" (ICRA 2023). The boxes' head is CenterPoint's (Yin, Zhou and Krähenbühl, CVPR 2021).
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from efficientlab.datasets.streets.labels import CLASSES, GRID, MAPS
from efficientlab.datasets.streets.views import Views
from efficientlab.kernels import BEVGrid
from efficientlab.models.streets.camera import CameraBranch, conv_layer
from efficientlab.models.streets.lidar import LidarBranch

Sensor = Literal["camera", "lidar"]
SENSORS: tuple[Sensor, ...] = ("camera", "lidar")


class Outputs(NamedTuple):
    """What the heads say of N streets, on the cells of the grid.

    Attributes:
        heat: (N, classes, X, Y), logits of a box's centre.
        box: (N, 8, X, Y): offset of the centre from the cell's lower corner in cells, x and y; height of the centre
            in metres; logarithms of length, width and height in metres; sine and cosine of the yaw.
        map: (N, maps, X, Y), logits; one sigmoid a class, for areas overlap.
        depth: (N, M, D, H, W), the weights of the pixels' depths; None without cameras.
    """

    heat: Tensor
    box: Tensor
    map: Tensor
    depth: Tensor | None = None


class Decoder(nn.Module):
    """A small U-Net over the ground: (N, C, X, Y) → (N, C, X, Y) at one, a half and a quarter of the resolution."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        c, d, e = channels, 3 * channels // 2, 2 * channels
        self.middle = nn.Sequential(conv_layer(c, d, 2), conv_layer(d, d), conv_layer(d, d))
        self.coarse = nn.Sequential(conv_layer(d, e, 2), conv_layer(e, e), conv_layer(e, e))
        self.to_middle, self.to_full = nn.Conv2d(e, d, 1), nn.Conv2d(d, c, 1)
        self.last = conv_layer(c, c)

    def forward(self, x: Tensor) -> Tensor:
        middle = self.middle(x)
        middle = middle + F.interpolate(
            self.to_middle(self.coarse(middle)), scale_factor=2.0, mode="bilinear"
        )
        return self.last(x + F.interpolate(self.to_full(middle), scale_factor=2.0, mode="bilinear"))


class BEVFusion(nn.Module):
    """Both sensors, or one of them, to boxes and a map.

    The features of the sensors stand side by side, in the order of `SENSORS`; a convolution mixes them. In training a
    sensor's features are zeroed for a share of the streets, so that the network works when a sensor fails.

    Args:
        sensors: which are built in.
        channels: C of each branch and of the decoder.
        dropout: the share of streets that lack the camera in training, and the share that lacks the LiDAR.
        grid: the cells on the ground.
        classes, maps: how many kinds of boxes and of areas.

    Raises:
        ValueError: no sensor, one that does not exist, or dropout with a single one.
    """

    def __init__(
        self,
        sensors: tuple[Sensor, ...] = SENSORS,
        channels: int = 24,
        dropout: float = 0.0,
        grid: BEVGrid = GRID,
        classes: int = len(CLASSES),
        maps: int = len(MAPS),
    ) -> None:
        super().__init__()
        if not sensors or not set(sensors) <= set(SENSORS):
            raise ValueError(f"sensors must be one or several of {', '.join(SENSORS)}, got {sensors}")
        self.sensors = tuple(sensor for sensor in SENSORS if sensor in sensors)  # as their features stand
        if dropout and len(self.sensors) < 2:
            raise ValueError(f"dropout {dropout} cannot be had with the sensors {sensors}")
        self.dropout, self.grid = dropout, grid
        self.camera = CameraBranch(channels, grid) if "camera" in sensors else None
        self.lidar = LidarBranch(channels, grid) if "lidar" in sensors else None
        self.fuser = conv_layer(len(self.sensors) * channels, channels)
        self.decoder = Decoder(channels)
        self.head = nn.Sequential(conv_layer(channels, channels), nn.Conv2d(channels, classes + 8 + maps, 1))
        self.sizes = [classes, 8, maps]
        last = self.head[1]
        assert isinstance(last.bias, Tensor)
        with torch.no_grad():
            last.bias[:classes] = -2.19  # a tenth: most cells hold no centre
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, views: Views, missing: Sensor | None = None) -> Outputs:
        """Args: views of N streets; `missing`, a sensor that fails: its features are zero."""
        found, depth = self.features(views, missing)
        fused = self.fuser(torch.cat(found, 1))
        heat, box, areas = self.head(self.decoder(fused)).split(self.sizes, 1)
        return Outputs(heat, box, areas, depth)

    def features(self, views: Views, missing: Sensor | None = None) -> tuple[list[Tensor], Tensor | None]:
        """(N, C, X, Y) of each sensor, in the order of `SENSORS`, and the weights of the depths."""
        found, depth = [], None
        if self.camera is not None:
            pooled, depth = self.camera(views)
            found.append(pooled)
        if self.lidar is not None:
            found.append(self.lidar(views.points))
        if missing is not None:
            found[self.sensors.index(missing)] = torch.zeros_like(found[0])
        if self.training and self.dropout:
            fate = torch.rand(len(views), 1, 1, 1, device=found[0].device)
            lost = (fate < self.dropout, fate > 1 - self.dropout)
            found = [x.masked_fill(where, 0.0) for x, where in zip(found, lost, strict=True)]
        return found, depth
