"""a transposed convolution is counted at the size of its output: the places are its input positions."""

from math import prod


def conv_macs(size, c_in, c_out, kernel, stride=1, padding=0, dilation=1, groups=1, transposed=False):
    weights = c_out * (c_in // groups) * prod(kernel)
    if transposed:
        return (
            prod(
                (n - 1) * stride - 2 * padding + dilation * (k - 1) + 1
                for n, k in zip(size, kernel, strict=True)
            )
            * weights
        )
    places = [
        (length + 2 * padding - dilation * (taps - 1) - 1) // stride + 1
        for length, taps in zip(size, kernel, strict=True)
    ]
    return prod(places) * weights
