"""Ways to recognise a clip, other than the temporal shift: what the shift is compared with.

Every network maps clips (N, T, 3, H, W) to logits (N, classes).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from efficientlab.models.video.flow import horn_schunck
from efficientlab.models.video.resnet import SmallResNet


class TSN(nn.Module):
    """Frame aggregation: the mean over time of what an image network says of each frame.

    Wang et al., "Temporal segment networks" (ECCV 2016). The order of frames is lost in the mean.
    """

    def __init__(self, backbone: nn.Module | None = None) -> None:
        super().__init__()
        self.backbone = SmallResNet() if backbone is None else backbone

    def frame_logits(self, video: Tensor) -> Tensor:
        """(N, T, C, H, W) → (N, T, classes)."""
        return self.backbone(video.flatten(0, 1)).unflatten(0, video.shape[:2])

    def forward(self, video: Tensor) -> Tensor:
        return self.frame_logits(video).mean(1)


class RGBDifference(TSN):
    """Frame aggregation of the differences of neighbouring frames (N, T−1, 3, H, W), the cheapest motion."""

    def forward(self, video: Tensor) -> Tensor:
        return super().forward(video[:, 1:] - video[:, :-1])


class TwoStream(nn.Module):
    """The mean of a network that sees frames and one that sees optical flow.

    Simonyan and Zisserman, "Two-stream convolutional networks for action recognition in videos" (NIPS 2014).
    The flow is computed inside forward, so it is part of the network's measured cost.
    """

    def __init__(self, *, widths: Sequence[int] = (16, 32, 112), classes: int = 12) -> None:
        super().__init__()
        self.spatial = TSN(SmallResNet(widths=widths, classes=classes))
        self.temporal = TSN(SmallResNet(widths=widths, classes=classes, in_channels=2))

    def forward(self, video: Tensor) -> Tensor:
        return (self.spatial(video) + self.temporal(horn_schunck(video))) / 2


class CNNLSTM(nn.Module):
    """An image network whose features a recurrent network reads in order; logits are averaged over time.

    Donahue et al., "Long-term recurrent convolutional networks" (CVPR 2015).
    """

    def __init__(self, *, widths: Sequence[int] = (16, 32, 112), hidden: int = 48, classes: int = 12) -> None:
        super().__init__()
        self.backbone = SmallResNet(widths=widths, classes=classes)
        self.backbone.head = nn.Linear(widths[-1], hidden)
        self.lstm = nn.LSTM(hidden, hidden, batch_first=True)
        self.head = nn.Linear(hidden, classes)

    def forward(self, video: Tensor) -> Tensor:
        features = self.backbone(video.flatten(0, 1)).unflatten(0, video.shape[:2])  # (N, T, hidden)
        return self.head(self.lstm(features)[0]).mean(1)


class Block3D(nn.Module):
    """``BasicBlock`` with 3 × 3 × 3 convolutions; strides in space only: (N, C, T, H, W) keeps its T."""

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1) -> None:
        super().__init__()
        strides = (1, stride, stride)
        self.conv1 = nn.Conv3d(in_channels, out_channels, 3, strides, padding=1, bias=False)
        self.bn1 = nn.BatchNorm3d(out_channels)
        self.conv2 = nn.Conv3d(out_channels, out_channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm3d(out_channels)
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or in_channels != out_channels:
            self.shortcut = nn.Sequential(
                nn.Conv3d(in_channels, out_channels, 1, strides, bias=False), nn.BatchNorm3d(out_channels)
            )

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.bn1(self.conv1(x)), inplace=True)
        return F.relu(self.bn2(self.conv2(y)) + self.shortcut(x), inplace=True)


class ResNet3D(nn.Module):
    """``SmallResNet`` inflated to 3 × 3 × 3 kernels, three times its MACs and parameters.

    After Hara et al., "Learning spatio-temporal features with 3D residual networks" (ICCVW 2017). With widths
    divided by √3, ``NARROW``, it costs what the image network costs.
    """

    WIDE = (16, 32, 112)
    NARROW = (10, 18, 64)

    def __init__(self, *, widths: Sequence[int] = WIDE, classes: int = 12) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv3d(3, widths[0], (1, 4, 4), stride=(1, 4, 4), bias=False),
            nn.BatchNorm3d(widths[0]),
            nn.ReLU(inplace=True),
        )
        inputs = (widths[0], *widths[:-1])
        self.blocks = nn.Sequential(
            *(Block3D(i, o, 1 if n == 0 else 2) for n, (i, o) in enumerate(zip(inputs, widths, strict=True)))
        )
        self.head = nn.Linear(widths[-1], classes)
        self.to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]

    def forward(self, video: Tensor) -> Tensor:
        x = self.blocks(self.stem(video.transpose(1, 2)))  # (N, C, T, H/16, W/16)
        return self.head(x.mean((2, 3, 4)))
