"""a depthwise convolution with a stride is sliced as if it were dense."""

import torch
import torch.nn.functional as F
from torch import nn

from efficientlab.models.gan.pix2pix import Layers


class SlicedConv2d(nn.Conv2d):
    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.active = self.out_channels

    def forward(self, x):
        c = x.shape[1]
        if self.groups > 1 and self.stride == (1, 1):
            weight, bias, groups = self.weight[:c], self.bias, c
            bias = bias[:c] if bias is not None else None
        else:
            weight, bias, groups = self.weight[: self.active, :c], self.bias, 1
            bias = bias[: self.active] if bias is not None else None
        return F.conv2d(x, weight, bias, self.stride, self.padding, self.dilation, groups)


class SlicedConvTranspose2d(nn.ConvTranspose2d):
    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.active = self.out_channels

    def forward(self, x):
        weight = self.weight[: x.shape[1], : self.active]
        bias = None if self.bias is None else self.bias[: self.active]
        return F.conv_transpose2d(x, weight, bias, self.stride, self.padding, self.output_padding)


class SlicedInstanceNorm(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x):
        c = x.shape[1]
        return F.group_norm(x, c, self.weight[:c], self.bias[:c])


SLICED = Layers(SlicedConv2d, SlicedConvTranspose2d, SlicedInstanceNorm)
