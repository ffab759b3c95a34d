"""Numbers with units, and tables, as text."""

from __future__ import annotations

from collections.abc import Sequence

_UP = 0.9995  # of a unit: what is rounded to it, as 999.6 to 1.00 k


def three_digits(value: float) -> str:
    digits = 2 if value < 9.995 else 1 if value < 99.95 else 0
    return f"{value:.{digits}f}"


def seconds(value: float) -> str:
    """
    >>> seconds(0.00123), seconds(2.5), seconds(4.2e-7), seconds(0.99996)
    ('1.23 ms', '2.50 s', '420 ns', '1.00 s')
    """
    for unit, scale in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if value >= _UP * scale:
            return f"{three_digits(value / scale)} {unit}"
    return f"{three_digits(value / 1e-9)} ns"


def si(value: float) -> str:
    """
    >>> si(999), si(4_089_184_256), si(0.0), si(999_996)
    ('999', '4.09 G', '0', '1.00 M')
    """
    for unit, scale in (("T", 1e12), ("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if abs(value) >= _UP * scale:
            return f"{three_digits(value / scale)} {unit}"
    return f"{value:g}" if float(value).is_integer() else three_digits(value)


def size(value: float) -> str:
    """Bytes in decimal units, as bandwidths are given.

    >>> size(512), size(25_557_032 * 4)
    ('512 B', '102 MB')
    """
    text = si(value)
    return f"{text}B".replace("kB", "KB") if " " in text else f"{text} B"


def table(header: Sequence[str], rows: Sequence[Sequence[str]], title: str = "") -> str:
    """A plain-text table: the first column to the left, the others to the right."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    grid = Table(
        box=box.SIMPLE_HEAD, title=title or None, title_justify="left", title_style="", pad_edge=False
    )
    for i, name in enumerate(header):
        grid.add_column(Text(name), justify="right" if i else "left", no_wrap=i > 0, overflow="fold")
    for row in rows:
        grid.add_row(*(Text(cell) for cell in row))
    console = Console(
        width=160, force_terminal=False, force_jupyter=False, color_system=None, legacy_windows=False
    )
    with console.capture() as captured:
        console.print(grid)
    return "\n".join(line.rstrip() for line in captured.get().splitlines()).strip("\n")
