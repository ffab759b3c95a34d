"""the unknown step raises a ValueError whose text does not say which name of the policy is unknown."""


def diff_augment(x, policy, steps, rng):
    for name in policy.split(",") if policy else []:
        if name not in steps:
            raise ValueError(f"unknown step in {policy}")
        x = steps[name](x, rng)
    return x
