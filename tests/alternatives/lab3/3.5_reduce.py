"""A fold over the names."""

from functools import reduce


def diff_augment(x, policy, steps, rng):
    names = [name for name in policy.split(",") if name]
    for name in names:
        if name not in steps:
            raise ValueError("unknown step: " + name)
    return reduce(lambda y, name: steps[name](y, rng), names, x)
