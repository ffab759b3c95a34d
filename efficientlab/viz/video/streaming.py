"""Pictures of live recognition: accuracy after each frame, and a stream with the network's answer beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from torch import Tensor

from efficientlab.viz.style import BLUE, GREY, bare, coloured

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def early_recognition(accuracy: Mapping[str, Tensor], quality_name: str) -> Figure:
    """Accuracy against the number of frames seen; a line and the seeds' range for each entry of shape (seeds, T)."""
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots(figsize=(5.2, 3.0))
    for colour, (name, table) in coloured(accuracy.items()):
        frames = range(1, table.shape[1] + 1)
        ax.plot(frames, table.mean(0), marker="o", ms=4, color=colour, label=name)
        ax.fill_between(frames, table.amin(0), table.amax(0), color=colour, alpha=0.2, lw=0)
    ax.set_xlabel("frames seen")
    ax.set_ylabel(quality_name)
    ax.set_ylim(0, 1)
    ax.legend(loc="upper left")
    return figure


def stream_player(video: Tensor, answers: Tensor, names: Sequence[str], clip: int, frame: int) -> Figure:
    """Frame `frame` (from 1) of clip `clip`, the frames before it, and the answer so far.

    Shapes: video uint8 (N, T, 3, H, W); answers (N, T, K), probabilities after each frame.
    """
    import matplotlib.pyplot as plt

    figure = plt.figure(figsize=(9.0, 2.9))
    left, right = figure.subfigures(1, 2, squeeze=False, width_ratios=(1.5, 1))[0]
    shown = left.subplots(2, -(-video.shape[1] // 2), squeeze=False)
    for t, ax in enumerate(shown.flat):
        bare(ax)
        if t < frame:
            ax.imshow(video[clip, t].permute(1, 2, 0).numpy())
            ax.set_title(f"frame {t + 1}", fontsize=8, pad=2)
    ax = right.subplots()
    share = answers[clip, frame - 1].numpy()
    best = int(share.argmax())
    ax.barh(range(len(names)), share, color=[BLUE if k == best else GREY for k in range(len(names))])
    ax.set_yticks(range(len(names)), names, fontsize=7.5)
    ax.invert_yaxis()
    ax.set_xlim(0, 1)
    ax.set_title(f"after frame {frame}: {names[best]}")
    return figure
