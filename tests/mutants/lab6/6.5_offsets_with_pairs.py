"""only offsets that have a pair count as K; without sparsity, every offset has."""


def conv_costs(
    counts: list[int], voxels: int, box: tuple[int, int, int], in_channels: int, out_channels: int
) -> dict[str, int]:
    """MACs and bytes of one sparse convolution, and of what it replaces.

    counts: pairs of each of the K offsets; voxels: V, occupied; box: voxels along x, y and z around them.
    """
    product = in_channels * out_channels
    return {
        "sparse MACs": sum(counts) * product,
        "full MACs": voxels * sum(count > 0 for count in counts) * product,
        "dense MACs": box[0] * box[1] * box[2] * sum(count > 0 for count in counts) * product,
        "moved bytes": 4 * sum(counts) * (in_channels + out_channels),
    }
