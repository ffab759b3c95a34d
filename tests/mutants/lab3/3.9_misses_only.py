"""only the misses are corrected for: take the false alarms off, above and below the line."""

import torch


@torch.no_grad()
def leakage(detector, samples, clean, augmented):
    def rate(x):
        return (detector(x) > 0).float().mean().item()

    false, true = rate(clean), rate(augmented)
    return min(max(rate(samples) / true, 0.0), 1.0)
