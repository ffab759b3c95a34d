"""all steps run, whatever the policy says."""


def diff_augment(x, policy, steps, rng):
    unknown = [n for n in policy.split(",") if policy and n not in steps]
    if unknown:
        raise ValueError(f"no step is called {unknown[0]!r}")
    for step in steps.values():
        x = step(x, rng)
    return x
