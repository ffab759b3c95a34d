"""four times as many places is not four times added: the mistake counts each transposed convolution four times in all, here it is five."""


def generator_macs(side, width, blocks):
    full, half, quarter = side**2, (side // 2) ** 2, (side // 4) ** 2
    stem = full * (width * 3 * 49)
    down = half * (2 * width * width * 9) + quarter * (4 * width * 2 * width * 9)
    middle = blocks * 2 * quarter * (4 * width * 4 * width * 9)
    up = quarter * (2 * width * 4 * width * 9) + half * (width * 2 * width * 9)
    head = full * (3 * width * 49)
    right = stem + down + middle + up + head
    return right, right + 4 * up
