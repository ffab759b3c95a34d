"""not one pair is found: a dictionary tells tensors apart by which they are, not by their numbers."""

import torch
from torch import Tensor

from efficientlab import kernels


def kernel_map(coords: Tensor, out_coords: Tensor, kernel_size: int, stride: int) -> list[Tensor]:
    """For each of the K offsets its pairs (M_k, 2): a row of coords and a row of out_coords.

    Shapes: coords (V, 4) and out_coords (V', 4), integers: cloud, x, y, z; out_coords counted in strides.
    """
    rows = {tuple(voxel): i for i, voxel in enumerate(coords)}
    pairs = []
    for dx, dy, dz in kernels.kernel_offsets(kernel_size):
        found = []
        for o, (b, x, y, z) in enumerate(out_coords):
            key = (b, x * stride + dx, y * stride + dy, z * stride + dz)
            if key in rows:
                found.append((rows[key], o))
        pairs.append(torch.tensor(found, dtype=torch.int64).reshape(-1, 2))
    return pairs
