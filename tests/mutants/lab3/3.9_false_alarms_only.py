"""only the false alarms are taken off: divide by what is left between them and the hits, too."""

import torch


@torch.no_grad()
def leakage(detector, samples, clean, augmented):
    def rate(x):
        return (detector(x) > 0).float().mean().item()

    false, true = rate(clean), rate(augmented)
    return min(max(rate(samples) - false, 0.0), 1.0)
