"""an estimate below 0 or above 1 is returned as it is: a share lies between 0 and 1."""

import torch


@torch.no_grad()
def leakage(detector, samples, clean, augmented):
    def rate(x):
        return (detector(x) > 0).float().mean().item()

    false, true = rate(clean), rate(augmented)
    return (rate(samples) - false) / (true - false)
