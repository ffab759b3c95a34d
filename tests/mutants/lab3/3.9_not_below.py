"""the false alarms are taken off above the line but not below it."""

import torch


@torch.no_grad()
def leakage(detector, samples, clean, augmented):
    def rate(x):
        return (detector(x) > 0).float().mean().item()

    false, true = rate(clean), rate(augmented)
    return min(max((rate(samples) - false) / true, 0.0), 1.0)
