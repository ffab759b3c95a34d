"""an unknown step raises a KeyError that does not say what is wrong: raise a ValueError that names it."""


def diff_augment(x, policy, steps, rng):
    for name in policy.split(",") if policy else []:
        x = steps[name](x, rng)
    return x
