"""negative weights are left out: only a weight of 0 takes its term away."""


def total_objective(terms, weights):
    return sum(w * terms[name]() for name, w in weights.items() if w > 0)
