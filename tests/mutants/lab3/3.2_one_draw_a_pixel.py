"""a number is drawn for every pixel: that is noise; draw one for each picture."""

import torch


def color(x, rng):
    def draw():
        return torch.rand(len(x), 1, 1, 1, generator=rng, device=x.device, dtype=x.dtype)

    x = x + (torch.rand(x.shape, generator=rng, device=x.device, dtype=x.dtype) - 0.5)
    m = x.mean(1, keepdim=True)
    x = (x - m) * (2 * draw()) + m
    m = x.mean((1, 2, 3), keepdim=True)
    x = (x - m) * (draw() + 0.5) + m
    return x
