"""a ReLU multiplies nothing: it costs bytes, and 0 MACs."""


def op_costs(n, c, side, itemsize):
    features = n * c * side**2 * itemsize

    def conv(weights):
        return n * side**2 * weights, features + weights * itemsize, features

    return {
        "ReLU": (n * c * side**2, features, features),
        "residual sum": (0, 2 * features, features),
        "depthwise 3×3": conv(9 * c),
        "conv 1×1": conv(c * c),
        "conv 3×3": conv(9 * c * c),
    }
