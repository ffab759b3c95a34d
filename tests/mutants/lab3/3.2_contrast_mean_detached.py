"""contrast's mean M is detached: the picture is right, but the part of the gradient that flows through M is lost."""

import torch


def color(x, rng):
    def draw():
        return torch.rand(len(x), 1, 1, 1, generator=rng, device=x.device, dtype=x.dtype)

    y = x + (draw() - 0.5)
    mean = y.mean(1, keepdim=True)
    y = (y - mean) * (2 * draw()) + mean
    mean = y.mean((1, 2, 3), keepdim=True).detach()
    return (y - mean) * (draw() + 0.5) + mean
