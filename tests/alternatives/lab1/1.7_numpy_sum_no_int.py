"""numpy's integers."""


def generator_macs(config, size, separable):
    import numpy as np

    c = config
    i, o = (
        np.array([1, c.stem, c.down1, c.stream, c.up1, c.up2]),
        np.array([c.stem, c.down1, c.stream, c.up1, c.up2, 1]),
    )
    side = np.array([size, size // 2, size // 4, size // 4, size // 2, size])
    inner = np.array([c.inner1, c.inner2, c.inner3])
    block = (9 * c.stream + 9 * inner + 2 * c.stream * inner) if separable else 18 * c.stream * inner
    return (9 * i * o * side**2).sum() + 2 * block.sum() * (size // 4) ** 2
