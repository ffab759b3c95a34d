"""contrast scales what is left without the mean, and does not put the mean back."""

import torch


def color(x, rng):
    def draw():
        return torch.rand(len(x), 1, 1, 1, generator=rng, device=x.device, dtype=x.dtype)

    y = x + (draw() - 0.5)
    mean = y.mean(1, keepdim=True)
    y = (y - mean) * (2 * draw()) + mean
    mean = y.mean((1, 2, 3), keepdim=True)
    return (y - mean) * (draw() + 0.5)
