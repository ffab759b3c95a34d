"""with stride 1 the output is taken to be as large as the input: without padding a kernel fits in fewer places, with much of it in more."""

from math import prod


def conv_macs(size, c_in, c_out, kernel, stride=1, padding=0, dilation=1, groups=1, transposed=False) -> int:
    weights = c_out * (c_in // groups) * prod(kernel)
    places = (
        size
        if transposed or stride == 1
        else [
            (s + 2 * padding - dilation * (k - 1) - 1) // stride + 1
            for s, k in zip(size, kernel, strict=False)
        ]
    )
    return prod(places) * weights
