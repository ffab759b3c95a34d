"""the kernel has a number of taps for each dimension: here the first one is taken for all."""

from math import prod


def conv_macs(size, c_in, c_out, kernel, stride=1, padding=0, dilation=1, groups=1, transposed=False):
    weights = c_out * (c_in // groups) * kernel[0] ** len(size)
    if transposed:
        return prod(size) * weights
    places = [
        (length + 2 * padding - dilation * (kernel[0] - 1) - 1) // stride + 1
        for length, taps in zip(size, kernel, strict=True)
    ]
    return prod(places) * weights
