import torch
from torch import Tensor


def heights_to_channels(coords: Tensor, features: Tensor, size: tuple[int, int, int, int]) -> Tensor:
    """Written into its place at once."""
    n, columns, rows, heights = size
    channels = features.shape[1]
    grid = torch.zeros(n, channels * heights, columns, rows, dtype=features.dtype)
    for (street, x, y, z), row in zip(coords.tolist(), features, strict=True):
        grid[street, torch.arange(channels) * heights + z, x, y] = row
    return grid
