"""the streets are counted from the first that has a voxel; each keeps its number."""

from torch import Tensor


def heights_to_channels(coords: Tensor, features: Tensor, size: tuple[int, int, int, int]) -> Tensor:
    """Occupied voxels as a map on the ground.

    Shapes: coords (V, 4), the street, x, y and z of each voxel; features (V, C); size is N, X, Y, Z; returns
    (N, C·Z, X, Y).
    """
    n, columns, rows, heights = size
    street, x, y, z = coords.long().unbind(1)
    street = street - street.min()
    grid = features.new_zeros(n, columns, rows, heights, features.shape[1])
    grid[street, x, y, z] = features
    return grid.permute(0, 4, 3, 1, 2).flatten(1, 2)  # (N, C·Z, X, Y), channel c·Z + z
