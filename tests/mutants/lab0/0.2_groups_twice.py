"""the groups divide twice: in a group every output channel reads c_in / groups channels, but there are still c_out of them."""

from math import prod


def conv_macs(size, c_in, c_out, kernel, stride=1, padding=0, dilation=1, groups=1, transposed=False):
    weights = (c_out // groups) * (c_in // groups) * prod(kernel)
    if transposed:
        return prod(size) * weights
    places = [
        (length + 2 * padding - dilation * (taps - 1) - 1) // stride + 1
        for length, taps in zip(size, kernel, strict=True)
    ]
    return prod(places) * weights
