"""A small generator and discriminator for pictures of 32 × 32 pixels, sized so that a CPU trains them in a minute.

After Radford et al., "Unsupervised representation learning with deep convolutional generative adversarial networks"
(ICLR 2016): transposed convolutions up, strided convolutions down. The discriminator has no batch norm, so that it
judges each picture alone, and real and generated pictures can share one forward pass.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

LATENT = 64
"""Numbers in a latent vector."""


class Generator(nn.Module):
    """Latent vectors z (N, 64) → pictures (N, channels, 32, 32) in [−1, 1]."""

    def __init__(self, channels: int = 1, width: int = 32) -> None:
        super().__init__()
        self.stem = nn.Linear(LATENT, 4 * width * 16, bias=False)
        self.layers = nn.Sequential(
            nn.BatchNorm2d(4 * width),
            nn.ReLU(inplace=True),
            nn.ConvTranspose2d(4 * width, 2 * width, 4, 2, 1, bias=False),
            nn.BatchNorm2d(2 * width),
            nn.ReLU(inplace=True),
            nn.ConvTranspose2d(2 * width, width, 4, 2, 1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
            nn.ConvTranspose2d(width, channels, 4, 2, 1),
            nn.Tanh(),
        )
        _prepare(self)

    def forward(self, z: Tensor) -> Tensor:
        x = self.stem(z).unflatten(1, (4, 4, -1)).movedim(3, 1)  # (N, 4 width, 4, 4), channels last
        return self.layers(x)


class Discriminator(nn.Module):
    """Pictures (N, channels, 32, 32) → scores (N,), positive for pictures that are taken for real."""

    def __init__(self, channels: int = 1, width: int = 32) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(channels, width, 4, 2, 1),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(width, 2 * width, 4, 2, 1),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(2 * width, 4 * width, 4, 2, 1),
            nn.LeakyReLU(0.2, inplace=True),
        )
        self.head = nn.Linear(4 * width * 16, 1)
        _prepare(self)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.layers(x).flatten(1)).squeeze(1)  # (N,)


def _prepare(module: nn.Module) -> None:
    """First weights N(0, 0.02²) as in the paper; channels last, which is faster on a CPU."""
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            nn.init.normal_(layer.weight, 0, 0.02)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
