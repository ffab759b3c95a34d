"""a uniform number for each layer."""

import torch


def sample_config(choices, rng):
    drawn = torch.rand(len(choices), generator=rng).tolist()
    return tuple(w[min(int(u * len(w)), len(w) - 1)] for w, u in zip(choices, drawn, strict=True))
