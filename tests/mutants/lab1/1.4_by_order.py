"""terms and weights are paired by their order: pair them by name."""

from torch import Tensor


def total_objective(terms, weights: dict[str, float]) -> Tensor:
    """Σ λ · term, a scalar; a term of weight 0 is not computed.

    terms: name → a function without arguments that returns a scalar; weights: name → λ, at least one of them not 0.
    """
    return sum(
        weight * term() for term, weight in zip(terms.values(), weights.values(), strict=True) if weight != 0
    )
