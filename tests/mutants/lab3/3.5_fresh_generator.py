"""each step gets a generator of its own with a fixed seed, so all batches are augmented alike: hand rng on."""

import torch


def diff_augment(x, policy, steps, rng):
    unknown = [n for n in policy.split(",") if policy and n not in steps]
    if unknown:
        raise ValueError(f"no step is called {unknown[0]!r}")
    for name in policy.split(",") if policy else []:
        x = steps[name](x, torch.Generator(x.device).manual_seed(0))
    return x
