from efficientlab import kernels


def kernel_map(coords, out_coords, kernel_size, stride):
    """Every output against every input: a table of truth values for each offset."""
    steps = coords.new_tensor([1, stride, stride, stride])
    pairs = []
    for offset in kernels.kernel_offsets(kernel_size):
        wanted = out_coords * steps + coords.new_tensor([0, *offset])  # (V', 4)
        same = (wanted[:, None] == coords[None]).all(2)  # (V', V)
        pairs.append(same.nonzero().flip(1))
    return pairs
