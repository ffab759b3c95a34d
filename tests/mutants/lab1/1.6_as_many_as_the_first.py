"""the indices are drawn for as many widths as the first layer has: each layer has its own number."""

import torch


def sample_config(choices, rng):
    return tuple(widths[int(torch.randint(len(choices[0]), (), generator=rng))] for widths in choices)
