"""a depthwise convolution has nine weights for each channel, not for each pair of channels."""


def op_costs(n, c, side, itemsize):
    features = n * c * side**2 * itemsize

    def conv(weights):
        return n * side**2 * weights, features + weights * itemsize, features

    return {
        "ReLU": (0, features, features),
        "residual sum": (0, 2 * features, features),
        "depthwise 3×3": conv(9 * c * c),
        "conv 1×1": conv(c * c),
        "conv 3×3": conv(9 * c * c),
    }
