"""Powers of two that bring clouds near to 1, where no square of a distance over- or underflows.

Such a product is exact, so whatever is computed of the scaled points is what it would be without limits to exponents.
"""

from __future__ import annotations

import torch
from torch import Tensor

_EXPONENTS = 126  # of float32's normal numbers; what has no power of two to reach 1 stays small


def unit_power(*clouds: Tensor) -> Tensor:
    """(N, 1, 1): for each n the power of two after which the largest number of its clouds (N, 3, …) is about 1."""
    largest = torch.stack([cloud.abs().amax((1, 2), keepdim=True) for cloud in clouds if cloud.shape[2]])
    _, exponent = torch.frexp(largest.amax(0))
    return torch.ldexp(torch.ones_like(largest[0]), -exponent.clamp(-_EXPONENTS, _EXPONENTS))
