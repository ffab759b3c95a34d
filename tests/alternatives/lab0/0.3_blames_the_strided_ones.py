def generator_macs(side, width, blocks):
    step = 9 * (side // 4) ** 2 * 8 * width**2 + 9 * (side // 2) ** 2 * 2 * width**2
    total = 2 * 147 * side**2 * width + 2 * step + 18 * blocks * (side // 4) ** 2 * 16 * width**2
    return total, total + 3 * step  # the strided convolutions at their input: the same sum
