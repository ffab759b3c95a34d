"""Pictures of what a shift does to a feature tensor: channels × time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional as F

from efficientlab.viz.style import DARK_RED

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def frame_numbers(n_frames: int, channels: int) -> Tensor:
    """A feature tensor whose every entry is the number of its frame, from 1: (T, C, 1, 1)."""
    return torch.arange(1.0, n_frames + 1).view(-1, 1, 1, 1).repeat(1, channels, 1, 1)


def shift_pictures(
    shifts: Mapping[str, Callable[[Tensor], Tensor]], n_frames: int = 6, channels: int = 16
) -> Figure:
    """Send frame numbers through each shift and draw who sits where: one panel for each entry of `shifts`."""
    import matplotlib.pyplot as plt

    numbers = frame_numbers(n_frames, channels)
    figure, axes = plt.subplots(1, len(shifts), figsize=(2.9 * len(shifts), 3.6), squeeze=False)
    for ax, (title, shift) in zip(axes.flat, shifts.items(), strict=True):
        _draw(ax, shift(numbers)[:, :, 0, 0], numbers[:, :, 0, 0])
        ax.set_title(title)
    axes[0, 0].set_ylabel("channel")
    return figure


def draw_shift(fold_div: int, direction: str) -> Figure:
    """Frame numbers before and after the temporal shift; direction "both" or "past only"."""

    steps = (1, 0) if direction == "past only" else (-1, 1)

    def shifted(x: Tensor) -> Tensor:
        fold = x.shape[1] // fold_div
        *moved, rest = x.split([fold, fold, x.shape[1] - 2 * fold], 1)  # (T, c, H, W) each
        # a negative pad crops: the frames move on by `step`, zeros follow
        parts = [
            F.pad(part, (0, 0, 0, 0, 0, 0, step, -step)) for part, step in zip(moved, steps, strict=True)
        ]
        return torch.cat([*parts, rest], 1)

    return shift_pictures({"before": lambda x: x, f"after, {direction}": shifted})


def _draw(ax: Axes, content: Tensor, original: Tensor) -> None:
    """Cells are coloured by the frame that their content comes from; moved ones are written in red."""
    n_frames, channels = content.shape
    colours = content.clone()
    colours[colours == 0] = float("nan")
    ax.imshow(colours.T.numpy(), aspect="auto", cmap="Blues", vmin=-1, vmax=2.6 * n_frames)
    for t in range(n_frames):
        for c in range(channels):
            moved = content[t, c] != original[t, c]
            ax.text(
                t,
                c,
                f"{content[t, c]:.0f}",
                ha="center",
                va="center",
                fontsize=8.5,
                weight="bold" if moved else "normal",
                color=DARK_RED if moved else "black",
            )
    ax.set_xticks(range(n_frames), [str(t + 1) for t in range(n_frames)])
    ax.set_yticks([0, channels - 1])
    ax.set_xlabel("frame")
    ax.grid(False)
