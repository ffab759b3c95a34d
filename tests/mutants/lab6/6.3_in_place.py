"""the pairs are right, but the coordinates that were given are changed: something is in place."""

import torch
from torch import Tensor

from efficientlab import kernels


def kernel_map(coords: Tensor, out_coords: Tensor, kernel_size: int, stride: int) -> list[Tensor]:
    """For each of the K offsets its pairs (M_k, 2): a row of coords and a row of out_coords.

    Shapes: coords (V, 4) and out_coords (V', 4), integers: cloud, x, y, z; out_coords counted in strides.
    """
    out_coords[:, 1:] *= stride
    rows = {tuple(voxel): i for i, voxel in enumerate(coords.tolist())}
    pairs = []
    for dx, dy, dz in kernels.kernel_offsets(kernel_size):
        found = []
        for o, (b, x, y, z) in enumerate(out_coords.tolist()):
            key = (b, x + dx, y + dy, z + dz)
            if key in rows:
                found.append((rows[key], o))
        pairs.append(torch.tensor(found, dtype=torch.int64).reshape(-1, 2))
    return pairs
