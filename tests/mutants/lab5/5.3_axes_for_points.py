"""alone is divided by the length of the coordinates, 3: the points are along the other dimension."""

from torch import Tensor


def grid_report(coords: Tensor, channels: int, resolution: int) -> dict[str, float]:
    i, j, k = coords.round().long()
    count = ((i * resolution + j) * resolution + k).unique(return_counts=True)[1]  # (V,)
    return {
        "alone": (count == 1).sum().item() / len(coords),
        "occupied": len(count) / resolution**3,
        "bytes": 4 * channels * resolution**3,
    }
