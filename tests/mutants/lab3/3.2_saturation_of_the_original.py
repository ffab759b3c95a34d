"""saturation is about the mean of x, before brightness: each step's mean is that of the picture as the step before left it."""

import torch


def color(x, rng):
    b, s, k = torch.rand(3, len(x), 1, 1, 1, generator=rng, device=x.device, dtype=x.dtype)
    mean = x.mean(1, keepdim=True)
    x = x + b - 0.5
    x = mean + 2 * s * (x - mean)
    mean = x.mean((1, 2, 3), keepdim=True)
    return mean + (k + 0.5) * (x - mean)
