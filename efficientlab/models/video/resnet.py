"""A small residual network for images, whose residual block is a constructor argument.

Three stages of one block each, after He et al., "Deep residual learning for image recognition" (CVPR 2016).
The stem cuts the image into 4 × 4 patches: at 32 × 32 pixels most of a step would otherwise go to memory
traffic on large, shallow activations.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class BasicBlock(nn.Module):
    """y = relu(residual(x) + shortcut(x)), the residual being conv3×3 – norm – relu – conv3×3 – norm.

    Shapes: (N, C_in, H, W) → (N, C_out, H/stride, W/stride).
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(out_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(out_channels)
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or in_channels != out_channels:
            self.shortcut = nn.Sequential(
                nn.Conv2d(in_channels, out_channels, 1, stride, bias=False), nn.BatchNorm2d(out_channels)
            )

    def residual(self, x: Tensor) -> Tensor:
        x = F.relu(self.bn1(self.conv1(x)), inplace=True)
        return self.bn2(self.conv2(x))

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.residual(x) + self.shortcut(x), inplace=True)


class SmallResNet(nn.Module):
    """Patch stem, one ``block(in_channels, out_channels, stride)`` per width, average pool, linear head.

    Shapes: (N, in_channels, H, W) → (N, classes); ``features`` stops before the head, at (N, widths[-1]).
    """

    def __init__(
        self,
        block: Callable[[int, int, int], nn.Module] = BasicBlock,
        *,
        widths: Sequence[int] = (16, 32, 112),
        in_channels: int = 3,
        classes: int = 12,
    ) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(in_channels, widths[0], 4, stride=4, bias=False),
            nn.BatchNorm2d(widths[0]),
            nn.ReLU(inplace=True),
        )
        inputs = (widths[0], *widths[:-1])
        self.blocks = nn.Sequential(
            *(block(i, o, 1 if n == 0 else 2) for n, (i, o) in enumerate(zip(inputs, widths, strict=True)))
        )
        self.head = nn.Linear(widths[-1], classes)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # faster on a CPU

    def features(self, x: Tensor) -> Tensor:
        x = self.blocks(self.stem(x))  # (N, C, H/16, W/16)
        return x.mean((2, 3))  # (N, C)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.features(x))
