"""a place in every menu is drawn from the length of the first one."""

import torch


def evolve(
    evaluate, macs, choices, budget, population: int, generations: int, rng: torch.Generator
) -> tuple[int, ...]:
    """The best configuration within the budget that an evolutionary search finds.

    evaluate: configuration → loss, lower is better; macs: configuration → cost, at most `budget`;
    choices: one tuple of widths a layer.
    """
    losses: dict[tuple[int, ...], float] = {}

    def draw(n):
        return int(torch.randint(n, (), generator=rng))

    def random_config():
        return tuple(widths[draw(len(widths))] for widths in choices)

    def child(parents):
        if draw(2):
            mother, father = parents[draw(len(parents))], parents[draw(len(parents))]
            return tuple(pair[draw(2)] for pair in zip(mother, father, strict=True))
        mutant = list(parents[draw(len(parents))])
        for _ in range(1 + draw(2)):
            layer = draw(len(choices))
            mutant[layer] = choices[layer][draw(len(choices[0]))]
        return tuple(mutant)

    for generation in range(generations):
        parents = sorted(losses, key=losses.get)[: max(2, len(losses) // 4)]
        found = 0
        for _ in range(200 * population):
            config = child(parents) if generation else random_config()
            if config not in losses and macs(config) <= budget:
                losses[config] = evaluate(config)
                found += 1
            if found == population:
                break
        if not losses:
            raise ValueError(f"none of {200 * population} random configurations is within the budget.")
    return min(losses, key=losses.get)
