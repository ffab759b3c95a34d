"""Pictures of the site: one style, and the same bytes each time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from efficientlab.viz.style import use_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def write_figure(draw: Callable[[], Figure], path: Path) -> None:
    """Draw a figure in the course's style into an SVG file."""
    import matplotlib.pyplot as plt

    path.parent.mkdir(parents=True, exist_ok=True)
    with plt.rc_context():
        use_style()
        figure = draw()
        figure.savefig(path, metadata={"Date": None})
        plt.close(figure)
