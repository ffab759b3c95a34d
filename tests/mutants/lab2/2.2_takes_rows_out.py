"""the pictures are right but the list of rows that was given, or that of the layers, is emptied."""

from torch import Tensor

from efficientlab.models.gan.anycost.generator import upsample


def sub_generator(const: Tensor, convs, paints, rows, config, size: int) -> dict[int, Tensor]:
    """The pictures of all sizes up to `size`: a dictionary, 4 → (N, 3, 4, 4), 8 → (N, 3, 8, 8), …

    const: (1, C, 4, 4); convs, paints: one layer a size; rows: one (N, 64) a size; config: the constant's channels, and
    each convolution's.
    """
    x, picture, pictures, at = const[:, : config[0]].expand(len(rows[0]), -1, -1, -1), None, {}, 4
    for width, conv, paint in zip(config[1:], convs, paints, strict=False):
        row = rows.pop(0)
        x = x if at == 4 else upsample(x)
        x = conv(x, row, width)  # (N, width, at, at)
        part = paint(x, row, 3)  # (N, 3, at, at)
        picture = part if picture is None else upsample(picture) + part
        pictures[at] = picture
        if at == size:
            break
        at *= 2
    return pictures
