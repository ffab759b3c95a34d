"""halves are rounded up; `torch.round` takes the even neighbour."""

from torch import Tensor


def grid_report(coords: Tensor, channels: int, resolution: int) -> dict[str, float]:
    i, j, k = (coords + 0.5).floor().long()
    count = ((i * resolution + j) * resolution + k).unique(return_counts=True)[1]  # (V,)
    return {
        "alone": (count == 1).sum().item() / coords.shape[1],
        "occupied": len(count) / resolution**3,
        "bytes": 4 * channels * resolution**3,
    }
