"""ResNet-50 for clips, at the size of the papers: to count, not to train here.

He et al., "Deep residual learning for image recognition" (CVPR 2016); inflated in time after Carreira and
Zisserman, "Quo vadis, action recognition?" (CVPR 2017).
"""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

Inflation = Literal["none", "3x1x1", "3x3x3"]

STAGES = ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2))  # bottleneck width, blocks, stride of the first


def _conv(c_in: int, c_out: int, time: int, side: int, stride: int = 1) -> list[nn.Module]:
    """A convolution that keeps the number of frames, and its norm."""
    kernel, padding = (time, side, side), (time // 2, side // 2, side // 2)
    conv = nn.Conv3d(c_in, c_out, kernel, (1, stride, stride), padding, bias=False)
    return [conv, nn.BatchNorm3d(c_out)]


class Bottleneck(nn.Module):
    """1×1 – 3×3 – 1×1 with a shortcut: (N, C_in, T, H, W) → (N, 4 · width, T, H/stride, W/stride)."""

    def __init__(self, c_in: int, width: int, stride: int, inflation: Inflation) -> None:
        super().__init__()
        first = 3 if inflation == "3x1x1" else 1
        middle = 3 if inflation == "3x3x3" else 1
        self.residual = nn.Sequential(
            *_conv(c_in, width, first, 1),
            nn.ReLU(),
            *_conv(width, width, middle, 3, stride),
            nn.ReLU(),
            *_conv(width, 4 * width, 1, 1),
        )
        same = stride == 1 and c_in == 4 * width
        self.shortcut = nn.Identity() if same else nn.Sequential(*_conv(c_in, 4 * width, 1, 1, stride))

    def forward(self, x: Tensor) -> Tensor:
        return (self.residual(x) + self.shortcut(x)).relu()


class ResNet50(nn.Module):
    """ResNet-50 on every frame (`inflation` "none": also TSM's cost), or inflated to 3×1×1 or 3×3×3 kernels.

    Shapes: (N, T, 3, H, W) → (N, classes).
    """

    def __init__(self, inflation: Inflation = "none", classes: int = 174) -> None:
        super().__init__()
        blocks: list[nn.Module] = []
        c_in = 64
        for width, count, stride in STAGES:
            for i in range(count):
                blocks.append(Bottleneck(c_in, width, stride if i == 0 else 1, inflation))
                c_in = 4 * width
        self.stem = nn.Sequential(
            *_conv(3, 64, 1, 7, 2), nn.ReLU(), nn.MaxPool3d((1, 3, 3), (1, 2, 2), (0, 1, 1))
        )
        self.blocks = nn.Sequential(*blocks)
        self.head = nn.Linear(c_in, classes)

    def forward(self, video: Tensor) -> Tensor:
        x = self.blocks(self.stem(video.transpose(1, 2)))  # (N, 2048, T, H/32, W/32)
        return self.head(x.mean((2, 3, 4)))
