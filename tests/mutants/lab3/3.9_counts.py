"""positive scores are counted, not divided by the number of pictures, so sets of different size cannot be compared."""

import torch


@torch.no_grad()
def leakage(detector, samples, clean, augmented):
    q, f, h = ((detector(x) > 0).sum().item() for x in (samples, clean, augmented))
    return min(max((q - f) / (h - f), 0.0), 1.0)
