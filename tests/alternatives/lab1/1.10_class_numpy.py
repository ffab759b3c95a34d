"""a class, with a generator of numpy's that rng seeds."""

import numpy as np
import torch


class _Search:
    def __init__(self, evaluate, macs, choices, budget, rng):
        self.f, self.g, self.choices, self.budget = evaluate, macs, [tuple(c) for c in choices], budget
        self.np = np.random.default_rng(int(torch.randint(2**62, (), generator=rng)))
        self.seen = {}

    def pick(self, sequence):
        return sequence[self.np.integers(len(sequence))]

    def admit(self, c):
        if c in self.seen or self.g(c) > self.budget:
            return False
        self.seen[c] = float(self.f(c))
        return True

    def elite(self):
        ranked = sorted(self.seen.items(), key=lambda item: item[1])
        return [c for c, _ in ranked[: max(1, len(ranked) // 4)]]

    def mutation(self, elite):
        c = list(self.pick(elite))
        for i in self.np.choice(len(c), size=self.np.integers(1, 3), replace=False):
            c[i] = self.pick(self.choices[i])
        return tuple(c)

    def crossover(self, elite):
        return tuple(map(self.pick, zip(self.pick(elite), self.pick(elite), strict=False)))


def evolve(evaluate, macs, choices, budget, population, generations, rng):
    s = _Search(evaluate, macs, choices, budget, rng)
    tries = 0
    while len(s.seen) < population and tries < 10000:
        s.admit(tuple(map(s.pick, s.choices)))
        tries += 1
    for _ in range(1, generations):
        elite, born, tries = s.elite(), 0, 0
        while born < population and tries < 5000:
            born += s.admit((s.mutation if born < population // 2 else s.crossover)(elite))
            tries += 1
    return min(s.seen, key=s.seen.get)
