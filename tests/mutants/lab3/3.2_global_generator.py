"""the draws come from PyTorch's global generator and not from rng: the run cannot be repeated."""

import torch


def color(x, rng):
    def draw():
        return torch.rand(len(x), 1, 1, 1, device=x.device, dtype=x.dtype)

    x = x + (draw() - 0.5)
    m = x.mean(1, keepdim=True)
    x = (x - m) * (2 * draw()) + m
    m = x.mean((1, 2, 3), keepdim=True)
    x = (x - m) * (draw() + 0.5) + m
    return x
