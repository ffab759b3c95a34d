"""occupied is divided by the points, not by the voxels of the grid."""

from torch import Tensor


def grid_report(coords: Tensor, channels: int, resolution: int) -> dict[str, float]:
    i, j, k = coords.round().long()
    count = ((i * resolution + j) * resolution + k).unique(return_counts=True)[1]  # (V,)
    return {
        "alone": (count == 1).sum().item() / coords.shape[1],
        "occupied": len(count) / coords.shape[1],
        "bytes": 4 * channels * resolution**3,
    }
