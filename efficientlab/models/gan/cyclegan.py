"""CycleGAN's generator at the size of the paper: to count, not to train here.

Zhu et al., "Unpaired image-to-image translation using cycle-consistent adversarial networks" (ICCV 2017).
"""

from __future__ import annotations

from torch import Tensor, nn


def _up(c_in: int, c_out: int) -> nn.Module:
    """Doubles H and W."""
    return nn.ConvTranspose2d(c_in, c_out, 3, 2, 1, output_padding=1)


def _stage(conv: nn.Module, channels: int) -> list[nn.Module]:
    return [conv, nn.InstanceNorm2d(channels), nn.ReLU()]


class CycleGANBlock(nn.Module):
    """x + norm(conv(relu(norm(conv(x))))), both convolutions 3×3: (N, C, H, W) → (N, C, H, W)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.residual = nn.Sequential(
            nn.ReflectionPad2d(1),
            *_stage(nn.Conv2d(channels, channels, 3), channels),
            nn.ReflectionPad2d(1),
            nn.Conv2d(channels, channels, 3),
            nn.InstanceNorm2d(channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.residual(x)


class CycleGANGenerator(nn.Module):
    """The "ResNet-9" generator: two steps down, nine residual blocks at a quarter of the size, two steps up.

    Shapes: (N, 3, H, W) → (N, 3, H, W) in (−1, 1); H and W are multiples of 4.
    """

    def __init__(self, width: int = 64, blocks: int = 9) -> None:
        super().__init__()
        w = width
        self.stem = nn.Sequential(nn.ReflectionPad2d(3), *_stage(nn.Conv2d(3, w, 7), w))
        self.down1 = nn.Sequential(*_stage(nn.Conv2d(w, 2 * w, 3, 2, 1), 2 * w))
        self.down2 = nn.Sequential(*_stage(nn.Conv2d(2 * w, 4 * w, 3, 2, 1), 4 * w))
        self.blocks = nn.Sequential(*(CycleGANBlock(4 * w) for _ in range(blocks)))
        self.up1 = nn.Sequential(*_stage(_up(4 * w, 2 * w), 2 * w))
        self.up2 = nn.Sequential(*_stage(_up(2 * w, w), w))
        self.head = nn.Sequential(nn.ReflectionPad2d(3), nn.Conv2d(w, 3, 7), nn.Tanh())

    def forward(self, x: Tensor) -> Tensor:
        x = self.down2(self.down1(self.stem(x)))  # (N, 4 · width, H/4, W/4)
        picture: Tensor = self.head(self.up2(self.up1(self.blocks(x))))
        return picture
