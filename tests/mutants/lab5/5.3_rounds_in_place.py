"""the coordinates are rounded in place: the caller loses them."""


def grid_report(coords, channels, resolution):
    i, j, k = coords.round_().long()
    _, n = ((i * resolution + j) * resolution + k).unique(return_counts=True)
    return {
        "alone": (n == 1).sum().item() / coords.shape[1],
        "occupied": len(n) / resolution**3,
        "bytes": 4 * channels * resolution**3,
    }
