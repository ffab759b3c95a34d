def conv_costs(counts, voxels, box, in_channels, out_channels):
    costs = {"sparse MACs": 0, "full MACs": 0, "dense MACs": 0, "moved bytes": 0}
    cells = 1
    for side in box:
        cells *= side
    for count in counts:
        costs["sparse MACs"] += count * in_channels * out_channels
        costs["full MACs"] += voxels * in_channels * out_channels
        costs["dense MACs"] += cells * in_channels * out_channels
        costs["moved bytes"] += count * 4 * in_channels + count * 4 * out_channels
    return costs
