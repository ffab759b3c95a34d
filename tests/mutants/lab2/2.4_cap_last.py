"""the cap is applied after the rounding: it comes first, and may be no multiple."""


def uniform_widths(
    base: tuple[int, ...], ratio: float, cap: int, least: int, multiple: int
) -> tuple[int, ...]:
    """The channels of each layer at one ratio: capped after the ratio, at least `least`, rounded up to a multiple."""
    widths = (max(least, ratio * width) for width in base)
    return tuple(min(cap, multiple * -int(-width // multiple)) for width in widths)
