"""numpy's numbers."""

import numpy as np


def grid_report(coords, channels, resolution):
    voxels = np.round(coords.numpy()).astype(int)
    _, count = np.unique(voxels, axis=1, return_counts=True)
    return {
        "alone": (count == 1).sum() / voxels.shape[1],
        "occupied": np.float32(count.size) / resolution**3,
        "bytes": np.int64(np.float32().nbytes) * channels * resolution**3,
    }
