"""the largest feature over the heights is kept; all are to stand side by side."""

from torch import Tensor


def heights_to_channels(coords: Tensor, features: Tensor, size: tuple[int, int, int, int]) -> Tensor:
    n, columns, rows, heights = size
    street, x, y, z = coords.long().unbind(1)
    grid = features.new_zeros(n, columns, rows, heights, features.shape[1])
    grid[street, x, y, z] = features
    return grid.amax(3).permute(0, 3, 1, 2)  # (N, C·Z, X, Y), channel c·Z + z
