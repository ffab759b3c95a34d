"""each term is computed twice."""

from torch import Tensor


def total_objective(terms, weights: dict[str, float]) -> Tensor:
    """Σ λ · term, a scalar; a term of weight 0 is not computed.

    terms: name → a function without arguments that returns a scalar; weights: name → λ, at least one of them not 0.
    """
    used = [name for name, weight in weights.items() if weight != 0 and terms[name]() is not None]
    return sum(weights[name] * terms[name]() for name in used)
