"""the numbers of two voxels can be the same: a step in x is R² voxels, a step in y is R."""

from torch import Tensor


def grid_report(coords: Tensor, channels: int, resolution: int) -> dict[str, float]:
    i, j, k = coords.round().long()
    count = (i * resolution + j * resolution + k).unique(return_counts=True)[1]  # (V,)
    return {
        "alone": (count == 1).sum().item() / coords.shape[1],
        "occupied": len(count) / resolution**3,
        "bytes": 4 * channels * resolution**3,
    }
