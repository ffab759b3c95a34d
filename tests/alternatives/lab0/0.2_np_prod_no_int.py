"""numpy's integers."""


def conv_macs(size, c_in, c_out, kernel, stride=1, padding=0, dilation=1, groups=1, transposed=False) -> int:
    import numpy as np

    weights = c_out * (c_in // groups) * np.prod(kernel)
    if transposed:
        return np.prod(size) * weights
    places = [
        (n + 2 * padding - dilation * (k - 1) - 1) // stride + 1 for n, k in zip(size, kernel, strict=False)
    ]
    return np.prod(places) * weights
