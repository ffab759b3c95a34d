"""alone is divided by the voxels of the grid, not by the points."""

from torch import Tensor


def grid_report(coords: Tensor, channels: int, resolution: int) -> dict[str, float]:
    i, j, k = coords.round().long()
    count = ((i * resolution + j) * resolution + k).unique(return_counts=True)[1]  # (V,)
    return {
        "alone": (count == 1).sum().item() / resolution**3,
        "occupied": len(count) / resolution**3,
        "bytes": 4 * channels * resolution**3,
    }
