"""contrast scales about the mean of the whole batch, so a picture depends on its neighbours."""

import torch


def color(x, rng):
    def draw():
        return torch.rand(len(x), 1, 1, 1, generator=rng, device=x.device, dtype=x.dtype)

    x = x + (draw() - 0.5)
    m = x.mean(1, keepdim=True)
    x = (x - m) * (2 * draw()) + m
    m = x.mean()
    x = (x - m) * (draw() + 0.5) + m
    return x
