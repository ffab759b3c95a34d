def branch_costs(in_channels, out_channels, resolution, points):
    macs, moved, channels = 0, 0, in_channels
    for _ in range(2):
        macs += out_channels * resolution**3 * channels * 3**3
        moved += (channels + out_channels) * resolution**3
        channels = out_channels
    macs += points * in_channels + points * out_channels * 2**3
    return {
        "point bytes": (in_channels * points + out_channels * points) * 4,
        "voxel bytes": moved * 4,
        "point MACs": points * out_channels * in_channels,
        "voxel MACs": macs,
    }
