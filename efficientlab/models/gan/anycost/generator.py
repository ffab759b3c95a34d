"""A generator with a budget: StyleGAN2's, small, whose widths and size are chosen at every call.

Lin et al., "Anycost GANs for interactive image synthesis and editing" (CVPR 2021); the generator after Karras et al.,
"Analyzing and improving the image quality of StyleGAN" (CVPR 2020), without its noise inputs, so that two calls with
one latent differ by the configuration alone.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from efficientlab.models.gan.anycost.configs import FULL, SIZES, Config, check_config
from efficientlab.models.gan.anycost.modulated import modulated_conv

LATENT = 64
ModulatedConv = Callable[[Tensor, Tensor, Tensor, int, bool], Tensor]


def normalise(z: Tensor) -> Tensor:
    """z / √(mean of z²), for each row: latents on a sphere."""
    return z * (z.square().mean(1, keepdim=True) + 1e-8).rsqrt()


def activate(x: Tensor) -> Tensor:
    """Leaky ReLU, times √2, which keeps the variance about as it was."""
    return F.leaky_relu(x, 0.2) * 2**0.5


class ScaledLinear(nn.Module):
    """x W^T · scale / √inputs + b · scale: weights of unit variance, so that Adam's steps fit every layer.

    Args:
        scale: of weight and bias, which slows the layer's learning by as much.
        bias: the first value of what is added.
    """

    def __init__(self, inputs: int, outputs: int, scale: float = 1.0, bias: float = 0.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs) / scale)
        self.bias = nn.Parameter(torch.full((outputs,), bias / scale))
        self.gain, self.scale = scale / inputs**0.5, scale

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight * self.gain, self.bias * self.scale)


class ScaledConv2d(nn.Conv2d):
    """A convolution whose weights have unit variance and are scaled by 1 / √(inputs · kernel²) when they are used."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1, padding: int = 0) -> None:
        super().__init__(inputs, outputs, kernel, stride, padding)
        nn.init.normal_(self.weight)
        nn.init.zeros_(self.bias)  # type: ignore[arg-type]
        self.gain = (inputs * kernel**2) ** -0.5

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.weight * self.gain, self.bias, self.stride, self.padding)


class StyledConv(nn.Module):
    """A modulated convolution with its style, bias and leaky ReLU; `rgb` makes it the one that paints: 1×1, plain.

    Shapes: x (N, c, H, W), w (N, 64) → (N, width, H, W). The style is computed in full; the convolution takes from
    weight and style what x and `width` need.
    """

    def __init__(self, inputs: int, outputs: int, modulated: ModulatedConv, rgb: bool = False) -> None:
        super().__init__()
        kernel = 1 if rgb else 3
        self.weight = nn.Parameter(torch.randn(outputs, inputs, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.style = ScaledLinear(LATENT, inputs, bias=1.0)
        self.gain = (inputs * kernel**2) ** -0.5
        self.modulated, self.rgb = modulated, rgb

    def forward(self, x: Tensor, w: Tensor, width: int) -> Tensor:
        x = x.contiguous(memory_format=torch.channels_last)  # a CPU doubles its size many times as fast
        y = self.modulated(x, self.weight * self.gain, self.style(w), width, not self.rgb)
        y = y + self.bias[:width, None, None]
        return y if self.rgb else activate(y)


class Mapping(nn.Sequential):
    """Latents z (N, 64) → w (N, 64), in which attributes lie more nearly along straight lines."""

    def __init__(self) -> None:
        super().__init__(
            ScaledLinear(LATENT, LATENT, 0.1),
            nn.LeakyReLU(0.2),
            ScaledLinear(LATENT, LATENT, 0.1),
            nn.LeakyReLU(0.2),
        )

    def forward(self, z: Tensor) -> Tensor:
        return super().forward(normalise(z))


class AnycostGenerator(nn.Module):
    """Latents → pictures in about [−1, 1], with any configuration, at any size from 4 to 32.

    At each size one modulated convolution, whose features add their part to the picture so far (a skip generator). A
    sub-generator of size s stops there: what follows is not computed.

    Args:
        modulated: the convolution to build with; the lab passes the student's own.
    """

    def __init__(self, modulated: ModulatedConv = modulated_conv) -> None:
        super().__init__()
        self.mapping = Mapping()
        self.const = nn.Parameter(torch.randn(1, FULL.const, 4, 4))
        self.convs = nn.ModuleList(StyledConv(i, o, modulated) for i, o in pairwise(FULL))
        self.paint = nn.ModuleList(StyledConv(o, 3, modulated, rgb=True) for o in FULL[1:])

    def forward(self, z: Tensor, config: Config = FULL, size: int = SIZES[-1]) -> Tensor:
        """Latents z (N, 64) → pictures (N, 3, size, size)."""
        return self.pictures(self.mapping(z), config, size)[size]

    def synthesise(self, w: Tensor, config: Config = FULL, size: int = SIZES[-1]) -> Tensor:
        """As forward, from w (N, 64), or (N, 4, 64) with a row of its own for each size."""
        return self.pictures(w, config, size)[size]

    def pictures(self, w: Tensor, config: Config = FULL, size: int = SIZES[-1]) -> dict[int, Tensor]:
        """The pictures of all sizes up to `size`, of one pass: size → (N, 3, size, size).

        Raises:
            ValueError: as `check_config`.
        """
        check_config(config, size)
        rows = w.unbind(1) if w.ndim == 3 else [w] * len(SIZES)
        x = self.const[:, : config.const].expand(len(w), -1, -1, -1)
        painted: dict[int, Tensor] = {}
        picture = None
        for at, row, width, conv, paint in zip(SIZES, rows, config[1:], self.convs, self.paint, strict=True):
            if at > SIZES[0]:
                x = upsample(x)
            x = conv(x, row, width)  # (N, width, at, at)
            part = paint(x, row, 3)  # (N, 3, at, at)
            picture = part if picture is None else upsample(picture) + part
            painted[at] = picture
            if at == size:
                break
        return painted


def upsample(x: Tensor) -> Tensor:
    """Twice the size, bilinear: (N, C, H, W) → (N, C, 2H, 2W)."""
    return F.interpolate(x, scale_factor=2, mode="bilinear")
