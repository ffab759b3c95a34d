"""Modulated convolution: a convolution whose weight each picture scales with its own style.

Karras et al., "Analyzing and improving the image quality of StyleGAN" (CVPR 2020); sliced as in Lin et al., "Anycost
GANs for interactive image synthesis and editing" (CVPR 2021).
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

EPSILON = 1e-8


def modulated_conv(x: Tensor, weight: Tensor, style: Tensor, width: int, demodulate: bool = True) -> Tensor:
    """The first `width` channels of a convolution with the weight w'[n, o, i] = style[n, i] · weight[o, i].

        y[n, o] = d[n, o] Σ_i w'[n, o, i] ∗ x[n, i],    d[n, o] = 1 / √(Σ_{i, k, l} w'[n, o, i, k, l]² + 1e-8)

    All sums run over the channels i that x has: the slice is taken first, and what is demodulated is the slice. So
    the result's variance does not depend on the width. Scaling x and y is the same as scaling the weight, and one
    weight serves the batch.

    Shapes: x (N, c, H, W), weight (o, i, k, k) with c ≤ i, style (N, i) → (N, width, H, W), padded to keep H and W.

    Args:
        demodulate: without it d = 1, as for the layers that make the picture.
    """
    c = x.shape[1]
    weight, style = weight[:width, :c], style[:, :c]
    y = F.conv2d(x * style[:, :, None, None], weight, padding=weight.shape[2] // 2)  # (N, width, H, W)
    if not demodulate:
        return y
    energy = style.square() @ weight.square().sum((2, 3)).T  # (N, width)
    return y * (energy + EPSILON).rsqrt()[:, :, None, None]
