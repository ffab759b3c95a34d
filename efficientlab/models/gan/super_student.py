"""The super student: one set of weights that holds every narrower student, channel-sliced.

GAN Compression (Li et al., CVPR 2020), after once-for-all networks (Cai et al., ICLR 2020). A layer of the super
student has the weights of the widest choice. A narrower one uses the first channels of them, so a configuration is
not trained alone but in company with all others.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from efficientlab.models.gan.pix2pix import Config, Layers, ResNetGenerator, uniform

WIDTHS = (8, 12, 15, 18, 24)
CHOICES: tuple[tuple[int, ...], ...] = tuple(zip(*(uniform(width) for width in WIDTHS), strict=True))
"""Of each layer, the channels to choose from: five a layer, 390,625 configurations in all."""
WIDEST = uniform(max(WIDTHS))


class SlicedConv2d(nn.Conv2d):
    """A convolution that uses its first `active` output channels, and as many inputs as it is given.

    Shapes: (N, c_in, H, W) → (N, active, H', W') with c_in ≤ in_channels. A depthwise one follows its input.
    """

    active: int

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.active = self.out_channels

    def forward(self, x: Tensor) -> Tensor:
        c_in = x.shape[1]
        groups, c_out = (1, self.active) if self.groups == 1 else (c_in, c_in)
        weight = self.weight[:c_out, : c_in // groups]  # (c_out, c_in / groups, kh, kw)
        bias = None if self.bias is None else self.bias[:c_out]
        return F.conv2d(x, weight, bias, self.stride, self.padding, self.dilation, groups)


class SlicedConvTranspose2d(nn.ConvTranspose2d):
    """A transposed convolution that uses its first `active` output channels; its weight is (in, out, kh, kw)."""

    active: int

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.active = self.out_channels

    def forward(self, x: Tensor, output_size: list[int] | None = None) -> Tensor:
        weight = self.weight[: x.shape[1], : self.active]  # (c_in, c_out, kh, kw)
        bias = None if self.bias is None else self.bias[: self.active]
        stride, padding, extra = self.stride, self.padding, self.output_padding
        return F.conv_transpose2d(x, weight, bias, stride, padding, extra)  # type: ignore[arg-type]


class SlicedInstanceNorm(nn.Module):
    """Instance norm with the scales and offsets of the first channels; it needs no statistics of its own."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        c = x.shape[1]
        return F.group_norm(x, c, self.weight[:c], self.bias[:c])


SLICED = Layers(SlicedConv2d, SlicedConvTranspose2d, SlicedInstanceNorm)


class SuperStudent(ResNetGenerator):
    """A generator that can be set to any configuration of `CHOICES`, or any narrower than its widest.

    Args:
        layers: the sliced classes; the lab builds it from the student's own.
    """

    def __init__(self, layers: Layers = SLICED) -> None:
        super().__init__(WIDEST, ("blocks",), layers)

    def configure(self, config: Config) -> SuperStudent:
        """Use the first channels of each layer, as many as `config` says, from now on.

        Raises:
            ValueError: a layer is wider than the super student's, or has no channel.
        """
        for field, channels, most in zip(Config._fields, config, WIDEST, strict=True):
            if not 1 <= channels <= most:
                raise ValueError(f"{field} = {channels} is outside of the super student's 1 to {most}.")
        self.config = config
        for layer, channels in self._widths(config):
            layer.active = channels  # type: ignore[assignment]
        return self

    def _widths(self, c: Config) -> Iterator[tuple[nn.Module, int]]:
        """The layers with an output width of their own. Depthwise layers, norms and the head follow their input."""
        for name in ("stem", "down1", "up1", "up2"):
            yield getattr(self, name)[0], getattr(c, name)
        yield self.down2[0], c.stream
        inner = (c.inner1, c.inner1, c.inner2, c.inner2, c.inner3, c.inner3)
        for block, channels in zip(self.blocks, inner, strict=True):
            yield block.conv1[1], channels  # type: ignore[index, misc]
            yield block.conv2[1], c.stream  # type: ignore[index, misc]


def random_config(rng: torch.Generator) -> Config:
    """One of `CHOICES`, each layer drawn for itself, all widths equally often."""
    return Config(*(widths[int(torch.randint(len(widths), (), generator=rng))] for widths in CHOICES))


def extract(student: SuperStudent, config: Config) -> ResNetGenerator:
    """A stand-alone generator with the first channels of the super student's weights."""
    alone = ResNetGenerator(config, ("blocks",))
    held = student.state_dict()
    alone.load_state_dict(
        {
            name: held[name][tuple(slice(n) for n in part.shape)].clone()
            for name, part in alone.state_dict().items()
        }
    )
    return alone.train(student.training)
