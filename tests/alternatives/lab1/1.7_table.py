"""a table of layers."""


def generator_macs(config, size, separable):
    positions = [size * size, size * size // 4, size * size // 16]
    layers = [
        (1, config.stem, 0),
        (config.stem, config.down1, 1),
        (config.down1, config.stream, 2),
        (config.stream, config.up1, 2),
        (config.up1, config.up2, 1),
        (config.up2, 1, 0),
    ]
    total = sum(9 * a * b * positions[level] for a, b, level in layers)
    for number in range(6):
        inner = config[3 + number // 2]
        for a, b in ((config.stream, inner), (inner, config.stream)):
            total += (a * (9 + b) if separable else 9 * a * b) * positions[2]
    return total
