import torch


def evolve(evaluate, macs, space, limit, population, generations, rng):
    least = macs(tuple(map(min, space)))
    if least > limit:
        raise ValueError(f"{limit} MACs are too few: {least} are needed at least.")
    known = {}

    def pick(values):
        return values[torch.randint(len(values), (1,), generator=rng).item()]

    def try_out(config):
        if config in known or macs(config) > limit:
            return False
        known[config] = evaluate(config)
        return True

    try_out(tuple(map(min, space)))
    count = 1
    for _ in range(5_000):
        count += count < population and try_out(tuple(pick(w) for w in space))
    for _ in range(generations - 1):
        elite = [c for _, c in sorted(((v, c) for c, v in known.items()), reverse=True)[:8]]
        count = 0
        for _ in range(5_000):
            child = list(pick(elite))
            for gene in range(len(space)):
                if torch.rand(1, generator=rng).item() < 1.5 / len(space):
                    child[gene] = pick(space[gene])
            count += try_out(tuple(child))
            if count == population:
                break
    return max(known.items(), key=lambda item: item[1])[0]
