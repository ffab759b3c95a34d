"""only the first term is returned: the return stands inside the loop."""

import torch
from torch import Tensor


def total_objective(terms, weights: dict[str, float]) -> Tensor:
    """Σ λ · term, a scalar; a term of weight 0 is not computed.

    terms: name → a function without arguments that returns a scalar; weights: name → λ, at least one of them not 0.
    """
    for name, weight in weights.items():
        if weight != 0:
            return weight * terms[name]()
    return torch.zeros(())
