"""Enlarges at the end of a size, and looks at the size before it begins one."""

from efficientlab.models.gan.anycost.generator import upsample


def sub_generator(const, convs, paints, rows, config, size):
    x, y, r, out = const[:, : config[0]].repeat(len(rows[0]), 1, 1, 1), 0, 4, {}
    for number, conv in enumerate(convs):
        if r > size:
            break
        x = conv(x, rows[number], config[number + 1])
        y = y + paints[number](x, rows[number], 3)
        out[r], r = y, 2 * r
        x, y = upsample(x), upsample(y)
    return out
