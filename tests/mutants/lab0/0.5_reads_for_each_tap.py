"""the input is read once, not once for each tap of the kernel: a neighbour that was read stays at hand."""


def op_costs(n, c, side, itemsize):
    features = n * c * side**2 * itemsize

    def conv(weights):
        return (
            n * side**2 * weights,
            features * (9 if weights in (9 * c, 9 * c * c) else 1) + weights * itemsize,
            features,
        )

    return {
        "ReLU": (0, features, features),
        "residual sum": (0, 2 * features, features),
        "depthwise 3×3": conv(9 * c),
        "conv 1×1": conv(c * c),
        "conv 3×3": conv(9 * c * c),
    }
