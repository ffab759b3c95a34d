"""a tensor of one number."""

import torch


def leakage(detector, samples, clean, augmented):
    with torch.no_grad():
        share, alarms, hits = ((detector(x) > 0).double().mean() for x in (samples, clean, augmented))
    return ((share - alarms) / (hits - alarms)).clamp(0, 1)
