"""a dilated kernel reaches from its first tap to its last, dilation · (k − 1) + 1 numbers: here it is dilation · k."""

from math import prod


def conv_macs(size, c_in, c_out, kernel, stride=1, padding=0, dilation=1, groups=1, transposed=False):
    weights = c_out * (c_in // groups) * prod(kernel)
    if transposed:
        return prod(size) * weights
    places = [
        (length + 2 * padding - dilation * taps) // stride + 1
        for length, taps in zip(size, kernel, strict=True)
    ]
    return prod(places) * weights
