"""the skip's rows stand first; u comes before it."""

import torch
from torch import Tensor


def slice_joined(weight: Tensor, up: int, skip: int, up_max: int, out: int) -> Tensor:
    """The weights that a narrow network uses after a concatenation.

    Shapes: weight (K, up_max + the widest skip, D); returns (K, up + skip, out), a slice: its gradient reaches weight.
    """
    return torch.cat([weight[:, up_max : up_max + skip, :out], weight[:, :up, :out]], 1)
