"""By math.ceil, in a list."""

import math


def uniform_widths(base, ratio, cap, least, multiple):
    return [math.ceil(max(min(width * ratio, cap), least) / multiple) * multiple for width in base]
