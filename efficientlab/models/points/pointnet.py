"""Networks that read points one by one: PointNet for part segmentation, and PointNet++'s grouping layer.

Qi, Su, Mo and Guibas, "PointNet: Deep Learning on Point Sets for 3D Classification and Segmentation" (CVPR 2017);
Qi, Yi, Su and Guibas, "PointNet++" (NeurIPS 2017).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from efficientlab.kernels import ball_query, farthest_point_sample, group


def scaled(channels: Sequence[int], width: float) -> tuple[int, ...]:
    """Each number of channels times `width`, rounded, and at least 1."""
    return tuple(max(1, round(c * width)) for c in channels)


def shared_mlp(*channels: int) -> nn.Sequential:
    """The same fully connected layers for every point, each with batch norm and ReLU: (N, C_0, P) → (N, C_last, P)."""
    layers: list[nn.Module] = []
    for i, o in pairwise(channels):
        layers += [nn.Conv1d(i, o, 1, bias=False), nn.BatchNorm1d(o), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers)


class PointHead(nn.Module):
    """Part logits from each point's own features and one vector for the whole cloud.

    The first layer applies to both, concatenated. Written as W [x; g] = W₁ x + W₂ g, the second product is made once a
    cloud and not once a point.

    Shapes: own (N, C, P) and cloud (N, G) → (N, classes, P).
    """

    def __init__(self, own: int, cloud: int, widths: Sequence[int], classes: int) -> None:
        super().__init__()
        self.own = nn.Conv1d(own, widths[0], 1, bias=False)
        self.cloud = nn.Linear(cloud, widths[0], bias=False)
        self.norm = nn.BatchNorm1d(widths[0])
        self.rest = nn.Sequential(shared_mlp(*widths), nn.Conv1d(widths[-1], classes, 1))

    def forward(self, own: Tensor, cloud: Tensor) -> Tensor:
        x = self.own(own) + self.cloud(cloud)[:, :, None]  # (N, widths[0], P)
        return self.rest(F.relu(self.norm(x), inplace=True))


class PointNet(nn.Module):
    """Layers for each point, the maximum over all points, and a head that sees both. No transformation networks.

    Args:
        in_channels: of a point's features.
        classes: part labels.
        width: scales every layer's channels.

    Shapes: features (N, in_channels, P) and points (N, 3, P), which it does not use: they are among the features
    → (N, classes, P).
    """

    def __init__(self, in_channels: int = 6, classes: int = 35, width: float = 1.0) -> None:
        super().__init__()
        first, second, third, last = scaled((64, 64, 128, 1024), width)
        self.own = shared_mlp(in_channels, first, second)
        self.cloud = shared_mlp(second, third, last)
        self.head = PointHead(second, last, scaled((512, 256), width), classes)

    def forward(self, features: Tensor, points: Tensor) -> Tensor:
        own = self.own(features)  # (N, C, P)
        return self.head(own, self.cloud(own).max(2).values)


class SetAbstraction(nn.Module):
    """PointNet++'s layer: choose M centres, gather K neighbours of each, and take the maximum of an MLP over them.

    Args:
        in_channels: of a point's features; its place relative to the centre, 3 channels, is added.
        widths: of the MLP's layers.
        centres: M, by farthest point sampling.
        radius: of the ball around a centre, in the unit of the points.
        neighbours: K.

    Shapes: features (N, C, P) and points (N, 3, P) → features (N, widths[-1], M) and centres (N, 3, M).
    """

    def __init__(
        self, in_channels: int, widths: Sequence[int], *, centres: int, radius: float, neighbours: int
    ) -> None:
        super().__init__()
        self.centres, self.radius, self.neighbours = centres, radius, neighbours
        self.mlp = shared_mlp(in_channels + 3, *widths)

    def forward(self, features: Tensor, points: Tensor) -> tuple[Tensor, Tensor]:
        centres = group(points, farthest_point_sample(points, self.centres))  # (N, 3, M)
        index = ball_query(points, centres, self.radius, self.neighbours)  # (N, M, K)
        place = group(points, index) - centres[..., None]  # (N, 3, M, K)
        x = torch.cat([place, group(features, index)], 1)  # (N, 3 + C, M, K)
        x = self.mlp(x.flatten(2)).unflatten(2, (self.centres, self.neighbours))
        return x.amax(3), centres
