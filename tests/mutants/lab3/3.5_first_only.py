"""the function returns after its first step: the return stands inside the loop."""


def diff_augment(x, policy, steps, rng):
    unknown = [n for n in policy.split(",") if policy and n not in steps]
    if unknown:
        raise ValueError(f"no step is called {unknown[0]!r}")
    for name in policy.split(",") if policy else []:
        return steps[name](x, rng)
    return x
