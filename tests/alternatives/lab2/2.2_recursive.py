"""From size to size by recursion."""

from efficientlab.models.gan.anycost.generator import upsample


def sub_generator(const, convs, paints, rows, config, size):
    pictures = {}

    def go_on(x, number):
        at = 4 << number
        x = convs[number](x, rows[number], config[number + 1])
        pictures[at] = paints[number](x, rows[number], 3)
        if number:
            pictures[at] = pictures[at] + upsample(pictures[at // 2])
        if at < size:
            go_on(upsample(x), number + 1)

    go_on(const[:, : config[0]].repeat(len(rows[0]), 1, 1, 1), 0)
    return pictures
