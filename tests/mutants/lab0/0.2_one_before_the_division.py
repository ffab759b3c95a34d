"""the 1 is added before the division and not behind it: where the stride does not divide, a place is lost."""

from math import prod


def conv_macs(size, c_in, c_out, kernel, stride=1, padding=0, dilation=1, groups=1, transposed=False):
    weights = c_out * (c_in // groups) * prod(kernel)
    if transposed:
        return prod(size) * weights
    places = [
        (length + 2 * padding - dilation * (taps - 1)) // stride
        for length, taps in zip(size, kernel, strict=True)
    ]
    return prod(places) * weights
