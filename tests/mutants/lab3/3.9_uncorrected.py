"""the detector's mistakes are not corrected for: with 5 % false alarms, clean samples would leak by 5 %."""

import torch


@torch.no_grad()
def leakage(detector, samples, clean, augmented):
    def rate(x):
        return (detector(x) > 0).float().mean().item()

    false, true = rate(clean), rate(augmented)
    return min(max(rate(samples), 0.0), 1.0)
