"""Counted with sums, clipped by a tensor."""

import torch


def leakage(detector, samples, clean, augmented):
    with torch.no_grad():
        s, c, a = (detector(x).gt(0).double().mean() for x in (samples, clean, augmented))
    return torch.clamp((s - c) / (a - c), 0, 1).item()
