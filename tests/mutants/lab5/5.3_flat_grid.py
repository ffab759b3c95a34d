"""the grid is counted as R² voxels; it has three axes."""

from torch import Tensor


def grid_report(coords: Tensor, channels: int, resolution: int) -> dict[str, float]:
    i, j, k = coords.round().long()
    count = ((i * resolution + j) * resolution + k).unique(return_counts=True)[1]  # (V,)
    return {
        "alone": (count == 1).sum().item() / coords.shape[1],
        "occupied": len(count) / resolution**2,
        "bytes": 4 * channels * resolution**2,
    }
