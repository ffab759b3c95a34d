from collections import Counter


def grid_report(coords, channels, resolution):
    cells = Counter(map(tuple, coords.round().int().T.tolist()))
    lonely = [cell for cell, n in cells.items() if n == 1]
    return {
        "bytes": resolution**3 * channels * 4.0,
        "occupied": len(cells) / resolution**3,
        "alone": len(lonely) / coords.shape[1],
    }
