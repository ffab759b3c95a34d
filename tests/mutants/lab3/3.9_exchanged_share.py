"""the share of clean samples is returned: the question is how many look augmented."""

import torch


@torch.no_grad()
def leakage(detector, samples, clean, augmented):
    def rate(x):
        return (detector(x) > 0).float().mean().item()

    false, true = rate(clean), rate(augmented)
    return 1 - min(max((rate(samples) - false) / (true - false), 0.0), 1.0)
