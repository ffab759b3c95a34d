"""these are FLOPs: a MAC is one multiplication and one addition, so there are half as many."""


def op_costs(n, c, side, itemsize):
    features = n * c * side**2 * itemsize

    def conv(weights):
        return 2 * n * side**2 * weights, features + weights * itemsize, features

    return {
        "ReLU": (0, features, features),
        "residual sum": (0, 2 * features, features),
        "depthwise 3×3": conv(9 * c),
        "conv 1×1": conv(c * c),
        "conv 3×3": conv(9 * c * c),
    }
