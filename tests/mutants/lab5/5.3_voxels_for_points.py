"""alone is the share of occupied voxels per point: a voxel with many points counts as one that is told apart."""

from torch import Tensor


def grid_report(coords: Tensor, channels: int, resolution: int) -> dict[str, float]:
    i, j, k = coords.round().long()
    count = ((i * resolution + j) * resolution + k).unique(return_counts=True)[1]  # (V,)
    return {
        "alone": len(count) / coords.shape[1],
        "occupied": len(count) / resolution**3,
        "bytes": 4 * channels * resolution**3,
    }
