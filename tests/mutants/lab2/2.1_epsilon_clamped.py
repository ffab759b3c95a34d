"""the 1e-8 is a floor below the sum of squares: it is added to it."""

import torch.nn.functional as F
from torch import Tensor


def modulated_conv(x: Tensor, weight: Tensor, style: Tensor, width: int, demodulate: bool = True) -> Tensor:
    """The first `width` outputs of a modulated convolution of the channels that x has.

    Shapes: x (N, c, H, W), weight (o, i, k, k), style (N, i), c ≤ i, width ≤ o → (N, width, H, W).
    """
    c = x.shape[1]
    weight, style = weight[:width, :c], style[:, :c]
    y = F.conv2d(x * style[:, :, None, None], weight, padding=weight.shape[2] // 2)  # (N, width, H, W)
    if demodulate:
        energy = style.square() @ weight.square().sum((2, 3)).T  # (N, width)
        y = y * energy.clamp(min=1e-8).rsqrt()[:, :, None, None]
    return y
