"""mean scores are compared, not the shares of positive scores."""

import torch


@torch.no_grad()
def leakage(detector, samples, clean, augmented):
    def rate(x):
        return detector(x).mean().item()

    false, true = rate(clean), rate(augmented)
    return min(max((rate(samples) - false) / (true - false), 0.0), 1.0)
