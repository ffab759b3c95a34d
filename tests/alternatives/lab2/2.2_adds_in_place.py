"""The picture so far is added to what the paint gives, in place; layers are picked by number."""

from efficientlab.models.gan.anycost.generator import upsample


def sub_generator(const, convs, paints, rows, config, size):
    pictures = {}
    x = const[:, : config[0]].repeat(len(rows[0]), 1, 1, 1)
    for number in range(size.bit_length() - 2):
        if number:
            x = upsample(x)
        x = convs[number](x, rows[number], config[number + 1])
        pictures[4 << number] = paints[number](x, rows[number], 3)
        if number:
            pictures[4 << number] += upsample(pictures[2 << number])
    return pictures
