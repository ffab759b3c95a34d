"""Mutation alone, of a small elite, in a list."""

import torch


def evolve(evaluate, macs, choices, budget, population, generations, rng):
    known = {}

    def pick(values):
        return values[torch.randint(len(values), (1,), generator=rng).item()]

    def try_out(config):
        if config in known or macs(config) > budget:
            return False
        known[config] = evaluate(config)
        return True

    count = 0
    for _ in range(10_000):
        count += try_out(tuple(pick(w) for w in choices))
        if count == population:
            break
    for _ in range(generations - 1):
        elite = [c for _, c in sorted((v, c) for c, v in known.items())[:8]]
        count = 0
        for _ in range(10_000):
            child = list(pick(elite))
            for layer in range(len(choices)):
                if torch.rand(1, generator=rng).item() < 1.5 / len(choices):
                    child[layer] = pick(choices[layer])
            count += try_out(tuple(child))
            if count == population:
                break
    return min(known.items(), key=lambda item: item[1])[0]
