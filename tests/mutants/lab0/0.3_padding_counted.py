"""the stem and the head are counted with their padding: the output has the size of the picture."""


def generator_macs(side, width, blocks):
    full, half, quarter = side**2, (side // 2) ** 2, (side // 4) ** 2
    stem = (side + 6) ** 2 * (width * 3 * 49)
    down = half * (2 * width * width * 9) + quarter * (4 * width * 2 * width * 9)
    middle = blocks * 2 * quarter * (4 * width * 4 * width * 9)
    up = quarter * (2 * width * 4 * width * 9) + half * (width * 2 * width * 9)
    head = (side + 6) ** 2 * (3 * width * 49)
    right = stem + down + middle + up + head
    return right, right - up + 4 * up
