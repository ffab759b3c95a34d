"""bytes counts occupied voxels only; a dense grid stores the empty ones, too."""

from torch import Tensor


def grid_report(coords: Tensor, channels: int, resolution: int) -> dict[str, float]:
    i, j, k = coords.round().long()
    count = ((i * resolution + j) * resolution + k).unique(return_counts=True)[1]  # (V,)
    return {
        "alone": (count == 1).sum().item() / coords.shape[1],
        "occupied": len(count) / resolution**3,
        "bytes": 4 * channels * len(count),
    }
