"""widths are not rounded to a multiple."""


def uniform_widths(
    base: tuple[int, ...], ratio: float, cap: int, least: int, multiple: int
) -> tuple[int, ...]:
    """The channels of each layer at one ratio: capped after the ratio, at least `least`, rounded up to a multiple."""
    widths = (max(least, min(cap, ratio * width)) for width in base)
    return tuple(-int(-width // 1) for width in widths)
