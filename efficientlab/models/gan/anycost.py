"""A generator with a budget: StyleGAN2's, small, whose widths and size are chosen at every call.

Lin et al., "Anycost GANs for interactive image synthesis and editing" (CVPR 2021); the generator after Karras et al.,
"Analyzing and improving the image quality of StyleGAN" (CVPR 2020), without its noise inputs, so that two calls with
one latent differ by the configuration alone.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from efficientlab.models.gan.configs import FULL, RATIOS, SIZES, Config, check_config
from efficientlab.models.gan.modulated import modulated_conv

LATENT = 64
CODE = len(FULL) * len(RATIOS)
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
        x = (
            self.const[:, : config.const]
            .expand(len(w), -1, -1, -1)
            .contiguous(memory_format=torch.channels_last)
        )
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


class Conditioning(nn.Module):
    """x (1 + W g) + V g per channel: a discriminator is told which configuration g made a picture.

    Both maps begin at zero, so a discriminator that was trained without goes on as it was.

    Shapes: x (N, C, H, W), g (N, 20) → (N, C, H, W).
    """

    def __init__(self, channels: int, code: int = CODE) -> None:
        super().__init__()
        self.scale = nn.Linear(code, channels, bias=False)
        self.shift = nn.Linear(code, channels, bias=False)
        nn.init.zeros_(self.scale.weight)
        nn.init.zeros_(self.shift.weight)

    def forward(self, x: Tensor, g: Tensor) -> Tensor:
        return x * (1 + self.scale(g))[:, :, None, None] + self.shift(g)[:, :, None, None]


class Stage(NamedTuple):
    """A discriminator's way in for pictures of one size, and the block that halves it."""

    size: int
    channels: int


STAGES = (Stage(32, 32), Stage(16, 64), Stage(8, 96))


class AnycostDiscriminator(nn.Module):
    """Pictures of 32, 16 or 8 pixels → scores (N,), positive for pictures that are taken for real.

    Each size has its own 1×1 convolution from RGB and joins the common trunk where that has its size. The last two
    blocks may be conditioned on the generator's configuration.

    Args:
        conditioning: the layer to condition with; the lab passes the student's own.
    """

    def __init__(self, conditioning: Callable[[int], nn.Module] = Conditioning) -> None:
        super().__init__()
        outputs = [stage.channels for stage in STAGES[1:]] + [96]
        self.enter = nn.ModuleDict({str(s.size): ScaledConv2d(3, s.channels, 1) for s in STAGES})
        self.blocks = nn.ModuleList(
            ScaledConv2d(stage.channels, o, 4, 2, 1) for stage, o in zip(STAGES, outputs, strict=True)
        )
        self.conditions = nn.ModuleList(conditioning(o) for o in outputs[1:])
        self.last = ScaledConv2d(outputs[-1] + 1, 96, 3, 1, 1)
        self.hidden, self.head = ScaledLinear(96 * 16, 64), ScaledLinear(64, 1)

    def forward(self, picture: Tensor, code: Tensor | None = None) -> Tensor:
        """Scores (N,) of pictures (N, 3, s, s); `code` (N, 20) says which configuration made each.

        Raises:
            ValueError: pictures of another size.
        """
        size = picture.shape[-1]
        if str(size) not in self.enter:
            raise ValueError(f"pictures must have 32, 16 or 8 pixels a side, got {size}.")
        x = activate(self.enter[str(size)](picture))
        first = [stage.size for stage in STAGES].index(size)
        for number in range(first, len(self.blocks)):
            x = self.blocks[number](x)  # half the size
            if code is not None and number > 0:
                x = self.conditions[number - 1](x, code)
            x = activate(x)
        x = torch.cat([x, batch_deviation(x)], 1)  # (N, 97, 4, 4)
        x = activate(self.last(x))
        return self.head(activate(self.hidden(x.flatten(1)))).squeeze(1)


def batch_deviation(x: Tensor, group: int = 4) -> Tensor:
    """How much the pictures of a group of four differ: the mean deviation over all features, (N, 1, H, W).

    A generator that paints one face for all latents is seen through by it. Karras et al., "Progressive growing of
    GANs" (ICLR 2018). Picture n is in one group with n + N/4, n + N/2 and n + 3N/4.
    """
    n, _, h, w = x.shape
    group = group if n % group == 0 else n
    parts = x.reshape(group, n // group, -1)
    deviation = (parts.var(0, unbiased=False) + 1e-8).sqrt().mean(1)  # (N / group,)
    return deviation.repeat(group)[:, None, None, None].expand(n, 1, h, w)
