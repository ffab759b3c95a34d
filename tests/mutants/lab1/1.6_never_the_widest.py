"""the last width of each layer is never drawn."""

import torch


def sample_config(choices, rng: torch.Generator) -> tuple[int, ...]:
    """One width for each layer, drawn uniformly and independently: choices is one tuple of widths a layer."""
    return tuple(widths[int(torch.randint(len(widths) - 1, (), generator=rng))] for widths in choices)
