"""the result is clamped to −1 … 1: what is clamped has no gradient, and the paper does not clamp."""

import torch


def color(x, rng):
    def draw():
        return torch.rand(len(x), 1, 1, 1, generator=rng, device=x.device, dtype=x.dtype)

    x = x + (draw() - 0.5)
    m = x.mean(1, keepdim=True)
    x = (x - m) * (2 * draw()) + m
    m = x.mean((1, 2, 3), keepdim=True)
    x = (x - m) * (draw() + 0.5) + m
    return x.clamp(-1, 1)
