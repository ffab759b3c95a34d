"""What the checks draw their cases with, and read them by."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from efficientlab.exercises.contract import Values


def random_tensors(seed: int) -> Callable[..., Tensor]:
    """Standard normal tensors from one seeded stream."""
    return partial(torch.randn, generator=torch.Generator().manual_seed(seed))


def tensor_of(case: Values, key: str) -> Tensor:
    """The tensor that a case holds under this key."""
    value = case[key]
    assert isinstance(value, Tensor)
    return value
