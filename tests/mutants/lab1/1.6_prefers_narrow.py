"""narrow widths are drawn more often than wide ones."""

import torch


def sample_config(choices, rng: torch.Generator) -> tuple[int, ...]:
    """One width for each layer, drawn uniformly and independently: choices is one tuple of widths a layer."""
    return tuple(
        widths[min(int(torch.randint(len(widths), (), generator=rng)) for _ in range(2))]
        for widths in choices
    )
