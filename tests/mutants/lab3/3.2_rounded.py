"""the colours are rounded to a few levels, as in a small picture file: rounding has no gradient."""

import torch


def color(x, rng):
    def draw():
        return torch.rand(len(x), 1, 1, 1, generator=rng, device=x.device, dtype=x.dtype)

    x = x + (draw() - 0.5)
    m = x.mean(1, keepdim=True)
    x = (x - m) * (2 * draw()) + m
    m = x.mean((1, 2, 3), keepdim=True)
    x = (x - m) * (draw() + 0.5) + m
    return (x * 12.5).round() / 12.5
