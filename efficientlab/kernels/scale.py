"""Powers of two that bring clouds near to 1, where no square of a distance over- or underflows.

Such a product is exact, so whatever is computed of the scaled points is what it would be without limits to exponents.
"""

from __future__ import annotations

import torch
from torch import Tensor

_EXPONENTS = 126  # of float32's normal numbers; what has no power of two to reach 1 stays small


def largest_of(clouds: Tensor) -> Tensor:
    """(N, 1, 1): the largest absolute number of each of N clouds (N, 3, P); NaN if one is."""
    return clouds.abs().amax((1, 2), keepdim=True)


def unit_power(largest: Tensor) -> Tensor:
    """The power of two that brings each of some positive numbers to about 1."""
    _, exponent = torch.frexp(largest)
    return torch.ldexp(torch.ones_like(largest), -exponent.clamp(-_EXPONENTS, _EXPONENTS))
