"""the steps run from the last to the first."""


def diff_augment(x, policy, steps, rng):
    unknown = [n for n in policy.split(",") if policy and n not in steps]
    if unknown:
        raise ValueError(f"no step is called {unknown[0]!r}")
    for name in reversed(policy.split(",") if policy else []):
        x = steps[name](x, rng)
    return x
