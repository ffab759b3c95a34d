def conv_macs(size, c_in, c_out, kernel, stride=1, padding=0, dilation=1, groups=1, transposed=False):
    total = c_in * c_out
    for length, taps in zip(size, kernel, strict=True):
        reach = dilation * (taps - 1)
        starts = range(-padding, length + padding - reach, stride)
        total *= taps * (length if transposed else len(starts))
    return total // groups
