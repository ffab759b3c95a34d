"""the transposed convolution keeps the weights of all its inputs where its input has fewer channels."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from efficientlab.models.gan.pix2pix import Layers


class SlicedConv2d(nn.Conv2d):
    """A convolution that uses its first `active` output channels; a depthwise one follows its input.

    Shapes: (N, c_in, H, W) → (N, active, H', W') with c_in ≤ in_channels.
    """

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.active = self.out_channels

    def forward(self, x: Tensor) -> Tensor:
        c_in = x.shape[1]
        if self.groups > 1:
            weight, bias, groups = self.weight[:c_in], self.bias[:c_in], c_in
        else:
            weight, bias, groups = self.weight[: self.active, :c_in], self.bias[: self.active], 1
        return F.conv2d(x, weight, bias, self.stride, self.padding, self.dilation, groups)


class SlicedConvTranspose2d(nn.ConvTranspose2d):
    """A transposed convolution that uses its first `active` output channels.

    Shapes: (N, c_in, H, W) → (N, active, H', W') with c_in ≤ in_channels.
    """

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.active = self.out_channels

    def forward(self, x: Tensor) -> Tensor:
        weight = self.weight[:, : self.active]  # (c_in, active, k, k)
        bias = self.bias[: self.active]
        return F.conv_transpose2d(x, weight, bias, self.stride, self.padding, self.output_padding)


class SlicedInstanceNorm(nn.Module):
    """Instance norm of as many channels as its input has: (N, C, H, W) → (N, C, H, W)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        c = x.shape[1]
        return F.group_norm(x, c, self.weight[:c], self.bias[:c])


SLICED = Layers(SlicedConv2d, SlicedConvTranspose2d, SlicedInstanceNorm)
