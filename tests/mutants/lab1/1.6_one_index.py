"""one index is drawn for all layers: only uniform widths come out."""

import torch


def sample_config(choices, rng: torch.Generator) -> tuple[int, ...]:
    """One width for each layer, drawn uniformly and independently: choices is one tuple of widths a layer."""
    index = int(torch.randint(len(choices[0]), (), generator=rng))
    return tuple(widths[index] for widths in choices)
