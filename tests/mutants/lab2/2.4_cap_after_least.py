"""`least` is taken first and the cap second: it is the other way round, and where the cap is below `least`, `least` counts."""


def uniform_widths(
    base: tuple[int, ...], ratio: float, cap: int, least: int, multiple: int
) -> tuple[int, ...]:
    """The channels of each layer at one ratio: capped after the ratio, at least `least`, rounded up to a multiple."""
    widths = (min(cap, max(least, ratio * width)) for width in base)
    return tuple(multiple * -int(-width // multiple) for width in widths)
