"""the fraction of a channel is cut off before the rounding up."""


def uniform_widths(
    base: tuple[int, ...], ratio: float, cap: int, least: int, multiple: int
) -> tuple[int, ...]:
    """The channels of each layer at one ratio: capped after the ratio, at least `least`, rounded up to a multiple."""
    widths = (max(least, min(cap, ratio * width)) for width in base)
    return tuple(multiple * -(-int(width) // multiple) for width in widths)
