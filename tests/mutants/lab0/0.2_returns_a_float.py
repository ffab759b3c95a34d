"""the channels are divided with `/`, which gives a float: with `//` the result is an integer."""

from math import prod


def conv_macs(size, c_in, c_out, kernel, stride=1, padding=0, dilation=1, groups=1, transposed=False) -> int:
    """MACs of a convolution for one image, volume or sequence.

    size: positions of the input in each dimension; kernel: taps in each dimension; both tuples of 1, 2 or 3 numbers.
    """
    weights = c_out * (c_in / groups) * prod(kernel)
    if transposed:
        return prod(size) * weights
    places = [
        (length + 2 * padding - dilation * (taps - 1) - 1) // stride + 1
        for length, taps in zip(size, kernel, strict=True)
    ]
    return prod(places) * weights
