"""A hall of fame of fixed size whose members mutate; no crossover."""

import torch


def evolve(evaluate, macs, choices, budget, population, generations, rng):
    narrowest = tuple(min(widths) for widths in choices)
    if macs(narrowest) > budget:
        raise ValueError("No configuration fits into this budget; allow for more MACs.")
    known = {narrowest: evaluate(narrowest)}

    def draw(options):
        return options[torch.randint(len(options), (1,), generator=rng).item()]

    for generation in range(generations):
        fame = sorted(known, key=known.__getitem__)[: population // 2]
        for _ in range(population if generation else population - 1):
            for _ in range(500):
                config = list(draw(fame)) if generation else [draw(widths) for widths in choices]
                for _ in range(2 if generation else 0):
                    layer = draw(range(len(choices)))
                    config[layer] = draw(choices[layer])
                config = tuple(config)
                if macs(config) <= budget and config not in known:
                    known[config] = evaluate(config)
                    break
    return sorted(known, key=known.__getitem__)[0]
