"""the draws come from Python's `random` and not from rng."""

import random

import torch


def sample_config(choices, rng: torch.Generator) -> tuple[int, ...]:
    """One width for each layer, drawn uniformly and independently: choices is one tuple of widths a layer."""
    return tuple(random.choice(widths) for widths in choices)
