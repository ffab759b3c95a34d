"""who does not ask for a transposed convolution gets one: leave the defaults of the options as they are."""

from math import prod


def conv_macs(size, c_in, c_out, kernel, stride=1, padding=0, dilation=1, groups=1, transposed=True) -> int:
    weights = c_out * (c_in // groups) * prod(kernel)
    places = (
        size
        if transposed
        else [
            (s + 2 * padding - dilation * (k - 1) - 1) // stride + 1
            for s, k in zip(size, kernel, strict=False)
        ]
    )
    return prod(places) * weights
