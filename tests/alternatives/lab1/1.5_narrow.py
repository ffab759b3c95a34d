"""narrow in place of slices; the norm by hand."""

import torch
import torch.nn.functional as F
from torch import nn

from efficientlab.models.gan.pix2pix import Layers


class SlicedConv2d(nn.Conv2d):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.active = self.out_channels

    def forward(self, x):
        depthwise = self.groups > 1
        out = x.shape[1] if depthwise else self.active
        weight = self.weight.narrow(0, 0, out)
        if not depthwise:
            weight = weight.narrow(1, 0, x.shape[1])
        return F.conv2d(
            x, weight, self.bias.narrow(0, 0, out), self.stride, self.padding, groups=out if depthwise else 1
        )


class SlicedConvTranspose2d(nn.ConvTranspose2d):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.active = self.out_channels

    def forward(self, x):
        weight = self.weight.narrow(0, 0, x.shape[1]).narrow(1, 0, self.active)
        bias = self.bias.narrow(0, 0, self.active)
        return F.conv_transpose2d(
            x, weight, bias, stride=self.stride, padding=self.padding, output_padding=self.output_padding
        )


class SlicedInstanceNorm(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x):
        c = x.shape[1]
        centred = x - x.mean((2, 3), keepdim=True)
        scaled = centred / (centred.square().mean((2, 3), keepdim=True) + 1e-5).sqrt()
        return scaled * self.weight[:c, None, None] + self.bias[:c, None, None]


SLICED = Layers(SlicedConv2d, SlicedConvTranspose2d, SlicedInstanceNorm)
