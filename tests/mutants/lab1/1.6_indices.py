"""the indices are returned and not the widths."""

import torch


def sample_config(choices, rng: torch.Generator) -> tuple[int, ...]:
    """One width for each layer, drawn uniformly and independently: choices is one tuple of widths a layer."""
    return tuple(int(torch.randint(len(widths), (), generator=rng)) for widths in choices)
