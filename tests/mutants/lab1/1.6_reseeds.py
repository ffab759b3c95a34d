"""the generator is seeded anew at each call: every draw is the same."""

import torch


def sample_config(choices, rng: torch.Generator) -> tuple[int, ...]:
    """One width for each layer, drawn uniformly and independently: choices is one tuple of widths a layer."""
    rng.manual_seed(0)
    return tuple(widths[int(torch.randint(len(widths), (), generator=rng))] for widths in choices)
