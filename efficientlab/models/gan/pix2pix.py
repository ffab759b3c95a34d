"""Conditional generators and their discriminator: picture in, picture out.

The generator is the ResNet generator of CycleGAN (Zhu et al., ICCV 2017) at the size of 32×32 pictures, with every
layer's width open, as GAN Compression (Li et al., CVPR 2020) needs it. The discriminator is pix2pix's PatchGAN
(Isola et al., CVPR 2017).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

TAPS = ("stream", "block 2", "block 4", "block 6")


class Config(NamedTuple):
    """The generator's channels, layer by layer."""

    stem: int
    down1: int
    stream: int  # of the residual stream: second down-sampling, shortcuts, every block's output
    inner1: int  # inside blocks 1 and 2
    inner2: int  # inside blocks 3 and 4
    inner3: int  # inside blocks 5 and 6
    up1: int
    up2: int

    def __str__(self) -> str:
        return "-".join(map(str, self))


def uniform(width: int) -> Config:
    """The configuration whose layers all have `width` channels, times 2 at half and times 4 at quarter size."""
    return Config(width, 2 * width, 4 * width, 4 * width, 4 * width, 4 * width, 2 * width, width)


TEACHER = uniform(24)


class InstanceNorm(nn.GroupNorm):
    """y = γ (x − mean) / √(var + ε) + β, with mean and var over the pixels of each image's each channel.

    Ulyanov, Vedaldi, Lempitsky 2016. It is a group norm with one channel a group; on a CPU that form is twice as
    fast as `nn.InstanceNorm2d`. Shapes: (N, C, H, W) → (N, C, H, W).
    """

    def __init__(self, channels: int) -> None:
        super().__init__(channels, channels)


class Layers(NamedTuple):
    """What a generator is made of; the super student replaces all three by sliced ones."""

    conv: Callable[..., nn.Module] = nn.Conv2d
    conv_transpose: Callable[..., nn.Module] = nn.ConvTranspose2d
    norm: Callable[..., nn.Module] = InstanceNorm

    def conv3(self, c_in: int, c_out: int, stride: int = 1, separable: bool = False) -> nn.Module:
        """A 3×3 convolution: in one piece, or depthwise 3×3 and then pointwise 1×1."""
        if not separable:
            return self.conv(c_in, c_out, 3, stride, 1)
        return nn.Sequential(self.conv(c_in, c_in, 3, stride, 1, groups=c_in), self.conv(c_in, c_out, 1))

    def up3(self, c_in: int, c_out: int, separable: bool = False) -> nn.Module:
        """A 3×3 transposed convolution of stride 2, which doubles H and W."""
        if not separable:
            return self.conv_transpose(c_in, c_out, 3, 2, 1, output_padding=1)
        depthwise = self.conv_transpose(c_in, c_in, 3, 2, 1, output_padding=1, groups=c_in)
        return nn.Sequential(depthwise, self.conv(c_in, c_out, 1))

    def stage(self, conv: nn.Module, channels: int) -> nn.Sequential:
        return nn.Sequential(conv, self.norm(channels), nn.ReLU())


PLAIN = Layers()


class ResidualBlock(nn.Module):
    """x + norm(conv(relu(norm(conv(x))))), with `inner` channels between the two convolutions.

    Shapes: (N, stream, H, W) → (N, stream, H, W).
    """

    def __init__(self, stream: int, inner: int, separable: bool, layers: Layers) -> None:
        super().__init__()
        self.conv1 = layers.conv3(stream, inner, separable=separable)
        self.norm1 = layers.norm(inner)
        self.conv2 = layers.conv3(inner, stream, separable=separable)
        self.norm2 = layers.norm(stream)

    def forward(self, x: Tensor) -> Tensor:
        inner = F.relu(self.norm1(self.conv1(x)))  # (N, inner, H, W)
        return x + self.norm2(self.conv2(inner))


class ResNetGenerator(nn.Module):
    """Two steps down, six residual blocks at a quarter of the size, two steps up, tanh.

    Shapes: a drawing (N, 1, H, W) in [−1, 1] → a picture (N, C, H, W) in [−1, 1]; H and W are multiples of 4.

    Args:
        config: the layers' channels.
        separable: which parts have depthwise-separable 3×3 convolutions: any of "down", "blocks", "up".
        layers: the classes to build with.
        out_channels: C, 1 for grey and 3 for colour.
    """

    def __init__(
        self,
        config: Config = TEACHER,
        separable: tuple[str, ...] = (),
        layers: Layers = PLAIN,
        out_channels: int = 1,
    ) -> None:
        super().__init__()
        unknown = set(separable) - {"down", "blocks", "up"}
        if unknown:
            raise ValueError(f"unknown parts {sorted(unknown)}; separable takes 'down', 'blocks' and 'up'.")
        self.config, c = config, config
        down, blocks, up = (part in separable for part in ("down", "blocks", "up"))
        self.stem = layers.stage(layers.conv3(1, c.stem), c.stem)
        self.down1 = layers.stage(layers.conv3(c.stem, c.down1, 2, down), c.down1)
        self.down2 = layers.stage(layers.conv3(c.down1, c.stream, 2, down), c.stream)
        inner = (c.inner1, c.inner1, c.inner2, c.inner2, c.inner3, c.inner3)
        self.blocks = nn.ModuleList(ResidualBlock(c.stream, i, blocks, layers) for i in inner)
        self.up1 = layers.stage(layers.up3(c.stream, c.up1, up), c.up1)
        self.up2 = layers.stage(layers.up3(c.up1, c.up2, up), c.up2)
        self.head = layers.conv3(c.up2, out_channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.with_features(x)[0]

    def with_features(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        """The picture, and the residual stream at `TAPS`: before the blocks and after every second one.

        Shapes: (N, 1, H, W) → (N, C, H, W) and four times (N, stream, H/4, W/4).
        """
        x = self.down2(self.down1(self.stem(x)))  # (N, stream, H/4, W/4)
        features = [x]
        for number, block in enumerate(self.blocks, 1):
            x = block(x)
            if number % 2 == 0:
                features.append(x)
        return torch.tanh(self.head(self.up2(self.up1(x)))), features  # (N, C, H, W)


class PatchDiscriminator(nn.Module):
    """Scores patches of a pair as real or made up: positive is real.

    Shapes: drawing (N, 1, H, W), picture (N, C, H, W) → scores (N, 1, H/4, W/4), one a patch of 18×18 pixels.

    Args:
        width: channels of the first layer.
        picture_channels: C, 1 for grey and 3 for colour.
    """

    def __init__(self, width: int = 24, picture_channels: int = 1) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(1 + picture_channels, width, 4, 2, 1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(width, 2 * width, 4, 2, 1),
            InstanceNorm(2 * width),
            nn.LeakyReLU(0.2),
            nn.Conv2d(2 * width, 2 * width, 3, 1, 1),
            InstanceNorm(2 * width),
            nn.LeakyReLU(0.2),
            nn.Conv2d(2 * width, 1, 1),
        )

    def forward(self, drawing: Tensor, picture: Tensor) -> Tensor:
        scores: Tensor = self.net(torch.cat([drawing, picture], 1))
        return scores
