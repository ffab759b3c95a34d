"""Which frames an output has seen: the influence map ∂output_t / ∂frame_s, by autograd."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def influence(frame_outputs: Callable[[Tensor], Tensor], video: Tensor) -> Tensor:
    """|∂ output_t / ∂ frame_s|, summed over clips, pixels and outputs, each row scaled to a largest value of 1.

    Shapes: video float (N, T, C, H, W); frame_outputs maps it to (N, T, K); returns (T, T), row t, column s.
    A network without memory gives a diagonal, a causal one a lower triangle.
    """
    video = video.detach().clone().requires_grad_()
    outputs = frame_outputs(video)  # (N, T, K)
    rows = []
    for t in range(video.shape[1]):
        (gradient,) = torch.autograd.grad(outputs[:, t].square().sum(), video, retain_graph=True)
        rows.append(gradient.abs().sum((0, 2, 3, 4)))  # (N, T, C, H, W) → (T,)
    table = torch.stack(rows)
    return table / table.amax(1, keepdim=True).clamp_min(1e-30)


def influence_pictures(maps: Mapping[str, Tensor], columns: int = 4) -> Figure:
    """Draw influence maps side by side: output frame downwards, input frame to the right."""
    import matplotlib.pyplot as plt

    columns = min(columns, len(maps))
    rows = -(-len(maps) // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(2.15 * columns, 2.35 * rows), squeeze=False)
    for ax in axes.flat[len(maps) :]:
        ax.set_visible(False)
    for ax, (title, table) in zip(axes.flat, maps.items(), strict=False):
        ax.imshow(table.clamp_min(1e-4).log10().numpy(), cmap="Blues", vmin=-4, vmax=0.3)
        ax.set_title(title, fontsize=9)
        ax.set_xticks([0, len(table) - 1], ["1", str(len(table))])
        ax.set_yticks([0, len(table) - 1], ["1", str(len(table))])
        ax.grid(False)
    for ax in axes[:, 0]:
        ax.set_ylabel("output of frame")
    for ax in axes[-1]:
        ax.set_xlabel("input frame")
    return figure
