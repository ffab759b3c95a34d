"""each step starts again from the original, so only the last one shows: hand its result on."""


def diff_augment(x, policy, steps, rng):
    unknown = [n for n in policy.split(",") if policy and n not in steps]
    if unknown:
        raise ValueError(f"no step is called {unknown[0]!r}")
    y = x
    for name in policy.split(",") if policy else []:
        y = steps[name](x, rng)
    return y
