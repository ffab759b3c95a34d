"""Film strips."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from torch import Tensor

from efficientlab.viz.style import bare

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def film_strips(video: Tensor, titles: Sequence[str], columns: int = 2) -> Figure:
    """Each clip as a row of its frames under its title. Shapes: video uint8 (N, T, 3, H, W)."""
    import matplotlib.pyplot as plt

    rows = -(-len(video) // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(4.6 * columns, 0.85 * rows), squeeze=False)
    for ax in axes.flat:
        bare(ax)
    for ax, clip, title in zip(axes.flat, video, titles, strict=False):
        strip = clip.permute(2, 0, 3, 1).flatten(1, 2)  # (T, 3, H, W) → (H, T·W, 3)
        ax.imshow(strip.numpy())
        width = clip.shape[-1]
        for t in range(1, len(clip)):
            ax.axvline(t * width - 0.5, color="white", lw=1.5)
        ax.set_title(title, pad=3, fontsize=9)
    return figure
