"""the padding is 1 for every kernel beyond 1×1: it is half of the kernel's size, rounded down."""

import torch.nn.functional as F
from torch import Tensor


def modulated_conv(x: Tensor, weight: Tensor, style: Tensor, width: int, demodulate: bool = True) -> Tensor:
    """The first `width` outputs of a modulated convolution of the channels that x has.

    Shapes: x (N, c, H, W), weight (o, i, k, k), style (N, i), c ≤ i, width ≤ o → (N, width, H, W).
    """
    c = x.shape[1]
    weight, style = weight[:width, :c], style[:, :c]
    y = F.conv2d(
        x * style[:, :, None, None], weight, padding=1 if weight.shape[2] > 1 else 0
    )  # (N, width, H, W)
    if demodulate:
        energy = style.square() @ weight.square().sum((2, 3)).T  # (N, width)
        y = y * (energy + 1e-8).rsqrt()[:, :, None, None]
    return y
