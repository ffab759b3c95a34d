"""One look for every picture of the series."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import cycle
from typing import TYPE_CHECKING, Any, TypeVar

from efficientlab.frontend import answered

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BLUE, ORANGE, GREEN, RED, PURPLE, BROWN, GREY = (
    "#2a6fbb",
    "#e07b28",
    "#3a9d5d",
    "#c8403d",
    "#8457a8",
    "#8a6246",
    "#888888",
)
DARK_RED = "#8f100d"  # for letters on a coloured ground: 4.5 : 1 and more against the blues of pictures
CYCLE = (BLUE, ORANGE, GREEN, RED, PURPLE, BROWN, GREY)
MARKERS = ("o", "v", "s", "^", "D", "P", "X")


Entry = TypeVar("Entry")


def coloured(entries: Iterable[Entry]) -> Iterator[tuple[str, Entry]]:
    """Each entry with a colour of its own; after the last colour comes the first again."""
    return zip(cycle(CYCLE), entries, strict=False)


def marked(entries: Mapping[str, Entry]) -> Iterator[tuple[dict[str, Any], Entry]]:
    """Each entry with its label, and a colour and a marker of its own: told apart without the colours, too."""
    for marker, (colour, (name, entry)) in zip(cycle(MARKERS), coloured(entries.items()), strict=False):
        yield {"color": colour, "marker": marker, "label": name}, entry


def use_style() -> None:
    """Set matplotlib's defaults: small, plain, readable on a projector; pictures of a few tens of kilobytes."""
    import matplotlib as mpl
    from cycler import cycler

    if answered():  # for screens with two pixels in place of one; what is stored stays small
        from matplotlib_inline.backend_inline import set_matplotlib_formats

        set_matplotlib_formats("retina")
    mpl.rcParams.update(
        {
            "figure.dpi": 80,
            "savefig.dpi": 80,
            "figure.constrained_layout.use": True,
            "font.size": 9.5,
            "axes.titlesize": 10.5,
            "axes.titlelocation": "left",
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.grid": True,
            "grid.alpha": 0.25,
            "axes.prop_cycle": cycler(color=CYCLE),
            "legend.frameon": False,
            "image.interpolation": "nearest",
        }
    )


def bare(axes: Axes) -> None:
    """No ticks, no grid, no frame: for pictures that are images."""
    axes.set_xticks([])
    axes.set_yticks([])
    axes.grid(False)
    for spine in axes.spines.values():
        spine.set_visible(False)


def logarithmic(axes: Axes, which: str) -> None:
    """Logarithmic axes ("x", "y" or "xy"), their ticks at 1, 2 and 5 of each decade and written out."""
    from matplotlib.ticker import LogLocator, NullFormatter

    for name in which:
        axes.set(**{f"{name}scale": "log"})
        axis = axes.xaxis if name == "x" else axes.yaxis
        axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.set_major_formatter("{x:g}")
        axis.set_minor_formatter(NullFormatter())
