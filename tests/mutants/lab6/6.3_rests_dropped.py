"""an output is found by dividing and rounding down: where the division leaves a rest there is no pair."""

import torch
from torch import Tensor

from efficientlab import kernels


def kernel_map(coords: Tensor, out_coords: Tensor, kernel_size: int, stride: int) -> list[Tensor]:
    """For each of the K offsets its pairs (M_k, 2): a row of coords and a row of out_coords.

    Shapes: coords (V, 4) and out_coords (V', 4), integers: cloud, x, y, z; out_coords counted in strides.
    """
    rows = {tuple(voxel): o for o, voxel in enumerate(out_coords.tolist())}
    pairs = []
    for dx, dy, dz in kernels.kernel_offsets(kernel_size):
        found = []
        for i, (b, x, y, z) in enumerate(coords.tolist()):
            key = (b, (x - dx) // stride, (y - dy) // stride, (z - dz) // stride)
            if key in rows:
                found.append((i, rows[key]))
        pairs.append(torch.tensor(found, dtype=torch.int64).reshape(-1, 2))
    return pairs
