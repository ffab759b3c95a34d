"""an empty policy raises an error: it changes nothing."""


def diff_augment(x, policy, steps, rng):
    for name in policy.split(","):
        if name not in steps:
            raise ValueError(f"no step is called {name!r}")
        x = steps[name](x, rng)
    return x
