"""every layer is taken to have five widths: count them."""

import torch


def sample_config(choices, rng: torch.Generator) -> tuple[int, ...]:
    """One width for each layer, drawn uniformly and independently: choices is one tuple of widths a layer."""
    return tuple(widths[int(torch.randint(5, (), generator=rng))] for widths in choices)
