"""The discriminator of the any-cost generator: one for all sizes, told the configuration.

Lin et al., "Anycost GANs for interactive image synthesis and editing" (CVPR 2021).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from efficientlab.models.gan.anycost.configs import FULL, RATIOS
from efficientlab.models.gan.anycost.generator import ScaledConv2d, ScaledLinear, activate


class Conditioning(nn.Module):
    """x (1 + W g) + V g per channel: a discriminator is told which configuration made a picture.

    g is the one-hot code of the configuration: of each layer, which ratio of its full width it uses. Both maps begin at
    zero, so a discriminator that was trained without goes on as it was.

    Shapes: x (N, C, H, W), ratios int64 (N, 5) → (N, C, H, W).
    """

    def __init__(self, channels: int, layers: int = len(FULL), choices: int = len(RATIOS)) -> None:
        super().__init__()
        self.choices = choices
        self.scale = nn.Linear(layers * choices, channels, bias=False)
        self.shift = nn.Linear(layers * choices, channels, bias=False)
        nn.init.zeros_(self.scale.weight)
        nn.init.zeros_(self.shift.weight)

    def forward(self, x: Tensor, ratios: Tensor) -> Tensor:
        g = F.one_hot(ratios, self.choices).flatten(1).to(x.dtype)  # (N, 20)
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
        """Scores (N,) of pictures (N, 3, s, s); `code` (N, 5), of `ratios_of`, says which configuration made each.

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
    variance = (parts - parts.mean(0)).square().mean(0)  # `var` of four is slow
    deviation = (variance + 1e-8).sqrt().mean(1)  # (N / group,)
    return deviation.repeat(group)[:, None, None, None].expand(n, 1, h, w)
