"""the terms are turned into plain numbers, which have no gradient."""

import torch
from torch import Tensor


def total_objective(terms, weights: dict[str, float]) -> Tensor:
    """Σ λ · term, a scalar; a term of weight 0 is not computed.

    terms: name → a function without arguments that returns a scalar; weights: name → λ, at least one of them not 0.
    """
    return sum(torch.tensor(weight * terms[name]().item()) for name, weight in weights.items() if weight != 0)
