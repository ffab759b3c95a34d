"""a logit of exactly 0 counts as positive: positive means above 0."""

import torch


@torch.no_grad()
def leakage(detector, samples, clean, augmented):
    q, f, h = ((detector(x) >= 0).double().mean().item() for x in (samples, clean, augmented))
    return min(max((q - f) / (h - f), 0.0), 1.0)
