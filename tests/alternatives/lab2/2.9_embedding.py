"""Columns of the maps are picked and added up: the product with a one-hot code, without the code."""

import torch
from torch import nn


class Conditioning(nn.Module):
    def __init__(self, channels, layers, choices):
        super().__init__()
        self.register_buffer("offsets", choices * torch.arange(layers), persistent=False)
        self.scale = nn.Linear(layers * choices, channels, bias=False)
        self.shift = nn.Linear(layers * choices, channels, bias=False)
        self.scale.weight.data.zero_()
        self.shift.weight.data.zero_()

    def forward(self, x, ratios):
        columns = ratios + self.offsets
        scale, shift = (m.weight.T[columns].sum(1)[..., None, None] for m in (self.scale, self.shift))
        return x + x * scale + shift
