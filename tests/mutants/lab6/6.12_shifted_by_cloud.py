"""each cloud is shifted by its own least coordinates, not by those of all."""

import torch
from torch import Tensor


def morton_order(coords: Tensor) -> Tensor:
    """The rows of coords (V, 4), int64, distinct, in the order of Morton's curve: (V,), int64."""
    xyz = coords[:, 1:]
    cloud = coords[:, 0]
    x = torch.stack([at - xyz[cloud == b].amin(0) for b, at in zip(cloud, xyz, strict=True)])  # (V, 3)
    code = torch.zeros_like(x[:, 0])
    for bit in range(16):
        for axis in range(3):
            code += ((x[:, axis] >> bit) & 1) << (3 * bit + 2 - axis)
    return (coords[:, 0] * 2**48 + code).argsort()
