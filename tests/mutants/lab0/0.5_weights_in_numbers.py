"""the weights are counted as numbers, not bytes: each has `itemsize` bytes."""


def op_costs(n, c, side, itemsize):
    features = n * c * side**2 * itemsize

    def conv(weights):
        return n * side**2 * weights, features + weights, features

    return {
        "ReLU": (0, features, features),
        "residual sum": (0, 2 * features, features),
        "depthwise 3×3": conv(9 * c),
        "conv 1×1": conv(c * c),
        "conv 3×3": conv(9 * c * c),
    }
