"""the widths are sorted: each layer keeps its place, and widths may rise."""


def uniform_widths(
    base: tuple[int, ...], ratio: float, cap: int, least: int, multiple: int
) -> tuple[int, ...]:
    """The channels of each layer at one ratio: capped after the ratio, at least `least`, rounded up to a multiple."""
    widths = sorted((max(least, min(cap, ratio * width)) for width in base), reverse=True)
    return tuple(multiple * -int(-width // multiple) for width in widths)
