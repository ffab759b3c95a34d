"""every layer draws from the first layer's widths."""

import torch


def sample_config(choices, rng: torch.Generator) -> tuple[int, ...]:
    """One width for each layer, drawn uniformly and independently: choices is one tuple of widths a layer."""
    return tuple(choices[0][int(torch.randint(len(choices[0]), (), generator=rng))] for _ in choices)
