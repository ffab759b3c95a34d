"""A generator in small, in double precision, whose weights a formula sets: what the checks play with."""

from __future__ import annotations

import itertools

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from efficientlab.exercises.contract import AnswerError
from efficientlab.models.gan.anycost.generator import LATENT, ScaledLinear

WIDTHS = (6, 5, 4)
"""Full widths of the small generator: its input, and the convolutions at 4×4 and 8×8."""


def wave(shape: tuple[int, ...], phase: float) -> Tensor:
    """Numbers between −1 and 1 from a formula: no stored tensors, and the same on every machine."""
    count = 1
    for n in shape:
        count *= n
    return torch.sin(phase + 1.7 * torch.arange(count, dtype=torch.float64)).view(shape)


class Layer(nn.Module):
    """A layer with a style that uses the first of its channels, and counts how often it is called.

    y = tanh(Σ_i style_i(w) weight_oi x_i + bias_o), 1×1. Shapes: x (N, c, H, W), w (N, 64) → (N, width, H, W).
    """

    def __init__(self, inputs: int, outputs: int, phase: float, gain: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(wave((outputs, inputs, 1, 1), phase))
        self.bias = nn.Parameter(wave((outputs,), phase + 1))
        self.style = ScaledLinear(LATENT, inputs).double()
        with torch.no_grad():
            self.style.weight.copy_(wave((inputs, LATENT), phase + 2))
            self.style.bias.copy_(1 + 0.5 * wave((inputs,), phase + 3))
        self.gain = gain
        self.asked: list[str] = []

    def forward(self, x: Tensor, w: Tensor, width: int) -> Tensor:
        # Other batches would broadcast here, and break with a convolution that goes picture by picture.
        if len(x) != len(w):
            raise AnswerError(
                "Returned",
                f"calls a layer with features for a batch of {len(x)} and codes for a batch of {len(w)}.",
            )
        self.asked.append(f"{x.shape[1]}→{width} at {x.shape[2]}")
        weight = self.weight[:width, : x.shape[1]] * self.gain
        y = F.conv2d(x * self.style(w)[:, : x.shape[1], None, None], weight)
        # times 1: what a tanh gives must not be changed in place, and what the lab's layers give may be
        return torch.tanh(y + self.bias[:width, None, None]) * 1.0


class Parts:
    """The parts of a generator of sizes 4, 8 and 16: `const`, `convs` and `paints`."""

    def __init__(self, phase: float, widths: tuple[int, ...]) -> None:
        self.const = nn.Parameter(wave((1, widths[0], 4, 4), phase))
        pairs = list(itertools.pairwise(widths))
        self.convs = nn.ModuleList(Layer(i, o, phase + 10 * n, 0.2) for n, (i, o) in enumerate(pairs, 1))
        self.paints = nn.ModuleList(Layer(o, 3, phase + 10 * n + 5, 0.6) for n, (_, o) in enumerate(pairs, 1))

    def run(self, w: Tensor, widths: tuple[int, ...]) -> Tensor:
        """The picture at the largest size, with as many channels as `widths` says."""
        x = self.const[:, : widths[0]].expand(len(w), -1, -1, -1)
        picture = None
        for width, conv, paint in zip(widths[1:], self.convs, self.paints, strict=True):
            if picture is not None:
                x, picture = (F.interpolate(t, scale_factor=2, mode="bilinear") for t in (x, picture))
            x = conv(x, w, width)
            part = paint(x, w, 3)
            picture = part if picture is None else picture + part
        assert picture is not None
        return picture
