"""the bytes between the two convolutions are left out, as if both were one: the first writes its grid, and the second reads it."""


def branch_costs(in_channels: int, out_channels: int, resolution: int, points: int) -> dict[str, int]:
    voxels = resolution**3
    convolutions = 27 * voxels * (in_channels * out_channels + out_channels * out_channels)
    ends = in_channels * points + 8 * out_channels * points
    return {
        "voxel MACs": convolutions + ends,
        "point MACs": in_channels * out_channels * points,
        "voxel bytes": 4 * voxels * (in_channels + out_channels),
        "point bytes": 4 * points * (in_channels + out_channels),
    }
