"""the steps run in an order of your own: the policy's order counts."""


def diff_augment(x, policy, steps, rng):
    unknown = [n for n in policy.split(",") if policy and n not in steps]
    if unknown:
        raise ValueError(f"no step is called {unknown[0]!r}")
    for name in steps:
        if name in policy.split(","):
            x = steps[name](x, rng)
    return x
