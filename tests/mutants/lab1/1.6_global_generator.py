"""the draws come from PyTorch's global generator and not from rng."""

import torch


def sample_config(choices, rng: torch.Generator) -> tuple[int, ...]:
    """One width for each layer, drawn uniformly and independently: choices is one tuple of widths a layer."""
    return tuple(widths[int(torch.randint(len(widths), ()))] for widths in choices)
