"""All names are looked up first; the error shows the policy, what is unknown in it and what is known."""


def diff_augment(x, policy, steps, rng):
    names = [name for name in policy.split(",") if name]
    unknown = [name for name in names if name not in steps]
    if unknown:
        raise ValueError(f"policy {policy!r}: {', '.join(unknown)} is none of {', '.join(steps)}")
    for name in names:
        x = steps[name](x, rng)
    return x
