"""a step that does not exist is left out in silence: a typing error would turn augmentation off."""


def diff_augment(x, policy, steps, rng):
    for name in policy.split(","):
        if name in steps:
            x = steps[name](x, rng)
    return x
