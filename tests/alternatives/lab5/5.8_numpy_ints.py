"""numpy's integers."""

import numpy as np


def branch_costs(in_channels, out_channels, resolution, points):
    cells = np.prod([resolution] * 3)
    return {
        "voxel MACs": 27 * cells * out_channels * (in_channels + out_channels)
        + points * (in_channels + 8 * out_channels),
        "point MACs": np.prod([points, in_channels, out_channels]),
        "voxel bytes": 4 * cells * (in_channels + 3 * out_channels),
        "point bytes": 4 * points * (in_channels + out_channels),
    }
