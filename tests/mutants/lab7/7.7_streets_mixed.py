"""all streets fall onto the first map: the street is not looked at."""

from torch import Tensor


def heights_to_channels(coords: Tensor, features: Tensor, size: tuple[int, int, int, int]) -> Tensor:
    n, columns, rows, heights = size
    street, x, y, z = coords.long().unbind(1)
    grid = features.new_zeros(n, columns, rows, heights, features.shape[1])
    grid[0 * street, x, y, z] = features
    return grid.permute(0, 4, 3, 1, 2).flatten(1, 2)  # (N, C·Z, X, Y), channel c·Z + z
