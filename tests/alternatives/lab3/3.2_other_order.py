"""Contrast, saturation, brightness, drawn by uniform_ in that order: the three commute."""

import torch


def color(x, rng):
    def uniform(low, high):
        return torch.empty(x.shape[0], 1, 1, 1, device=x.device, dtype=x.dtype).uniform_(
            low, high, generator=rng
        )

    whole = x.flatten(1).mean(1).view(-1, 1, 1, 1)
    x = torch.lerp(whole.expand_as(x), x, uniform(0.5, 1.5))
    grey = x.mean(dim=1, keepdim=True)
    x = grey + uniform(0, 2) * (x - grey)
    return x + uniform(-0.5, 0.5)
