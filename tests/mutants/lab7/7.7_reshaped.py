"""the numbers are reshaped where dimensions have to be exchanged first."""

from torch import Tensor


def heights_to_channels(coords: Tensor, features: Tensor, size: tuple[int, int, int, int]) -> Tensor:
    n, columns, rows, heights = size
    street, x, y, z = coords.long().unbind(1)
    grid = features.new_zeros(n, columns, rows, heights, features.shape[1])
    grid[street, x, y, z] = features
    return grid.reshape(n, features.shape[1] * heights, columns, rows)  # (N, C·Z, X, Y), channel c·Z + z
