"""double precision is written into the answer, and in single precision it fails: the code has the type of x."""

import torch.nn.functional as F
from torch import Tensor, nn


class Conditioning(nn.Module):
    """x (1 + W g) + V g per channel, with g the one-hot code of a configuration.

    Shapes: x (N, C, H, W), ratios int64 (N, layers) → (N, C, H, W).
    """

    def __init__(self, channels: int, layers: int, choices: int) -> None:
        super().__init__()
        self.choices = choices
        self.scale = nn.Linear(layers * choices, channels, bias=False)
        self.shift = nn.Linear(layers * choices, channels, bias=False)
        self.scale.weight.data.zero_()
        self.shift.weight.data.zero_()

    def forward(self, x: Tensor, ratios: Tensor) -> Tensor:
        g = F.one_hot(ratios, self.choices).flatten(1).double()  # (N, layers · choices)
        return x * (1 + self.scale(g))[:, :, None, None] + self.shift(g)[:, :, None, None]
