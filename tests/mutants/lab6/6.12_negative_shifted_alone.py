"""only negative coordinates are shifted: the least of each axis is to be 0, also where it is above."""

import torch
from torch import Tensor


def morton_order(coords: Tensor) -> Tensor:
    """The rows of coords (V, 4), int64, distinct, in the order of Morton's curve: (V,), int64."""
    xyz = coords[:, 1:]
    x = xyz - xyz.amin(0).clamp(max=0)  # (V, 3), none is negative
    code = torch.zeros_like(x[:, 0])
    for bit in range(16):
        for axis in range(3):
            code += ((x[:, axis] >> bit) & 1) << (3 * bit + 2 - axis)
    return (coords[:, 0] * 2**48 + code).argsort()
