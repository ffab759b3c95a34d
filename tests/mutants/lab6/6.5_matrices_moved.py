"""the matrices are counted, too; only the rows are asked for."""


def conv_costs(
    counts: list[int], voxels: int, box: tuple[int, int, int], in_channels: int, out_channels: int
) -> dict[str, int]:
    """MACs and bytes of one sparse convolution, and of what it replaces.

    counts: pairs of each of the K offsets; voxels: V, occupied; box: voxels along x, y and z around them.
    """
    product = in_channels * out_channels
    return {
        "sparse MACs": sum(counts) * product,
        "full MACs": voxels * len(counts) * product,
        "dense MACs": box[0] * box[1] * box[2] * len(counts) * product,
        "moved bytes": 4 * (sum(counts) * (in_channels + out_channels) + len(counts) * product),
    }
