"""brightness is the difference of two uniform numbers: small changes come more often than large ones."""

import torch
from torch import Tensor


def color(x: Tensor, rng: torch.Generator) -> Tensor:
    """Random brightness, saturation and contrast, drawn for each picture alone. The draws come from rng.

    Shapes: x (N, C, H, W), floating; returns the same shape and dtype, on the same device. Differentiable in x.
    """

    def draw() -> Tensor:
        return torch.rand(len(x), 1, 1, 1, generator=rng, device=x.device, dtype=x.dtype)  # (N, 1, 1, 1)

    y = x + 0.5 * (draw() - draw())
    mean = y.mean(1, keepdim=True)  # (N, 1, H, W)
    y = (y - mean) * (2 * draw()) + mean
    mean = y.mean((1, 2, 3), keepdim=True)  # (N, 1, 1, 1)
    return (y - mean) * (draw() + 0.5) + mean
