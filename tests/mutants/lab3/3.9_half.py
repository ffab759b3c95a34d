"""a score counts as positive from 0.5 on, as if it were a probability: it is a logit, and the decision is at 0."""

import torch


@torch.no_grad()
def leakage(detector, samples, clean, augmented):
    def rate(x):
        return (detector(x) > 0.5).float().mean().item()

    false, true = rate(clean), rate(augmented)
    return min(max((rate(samples) - false) / (true - false), 0.0), 1.0)
