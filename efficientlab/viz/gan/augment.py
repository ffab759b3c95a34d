"""What an augmentation does to a picture, and where its gradient arrives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from efficientlab.kernels.augment import Augmentation, diff_augment
from efficientlab.viz.style import bare

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def show_picture(ax: Axes, picture: Tensor, title: str = "") -> None:
    """Draw one picture (C, H, W) in [−1, 1]; what lies outside of the range is clipped."""
    pixels = (picture.detach().clamp(-1, 1) + 1).div(2).movedim(0, 2).cpu().numpy()  # (H, W, C)
    if pixels.shape[2] == 1:
        ax.imshow(pixels[..., 0], cmap="gray", vmin=0, vmax=1)
    else:
        ax.imshow(pixels)
    bare(ax)
    ax.set_title(title, fontsize=9)


def draw_policy(
    picture: Tensor,
    brightness: float = 0.0,
    saturation: float = 1.0,
    contrast: float = 1.0,
    rows: int = 0,
    columns: int = 0,
    hole: str = "none",
) -> Figure:
    """One picture (C, H, W), its augmentation, and |∂ ½Σ T(x)² / ∂x| summed over channels."""
    import matplotlib.pyplot as plt

    _, h, w = picture.shape
    places = {
        "none": (h, w),
        "centre": (h // 4, w // 4),
        "corner": (-h // 4, -w // 4),
        "right": (h // 4, w // 2),
    }
    augmentation = Augmentation(
        torch.tensor([[brightness, saturation, contrast]]),
        torch.tensor([[rows, columns]]),
        torch.tensor([places[hole]]),
    )
    leaf = picture[None].clone().requires_grad_()
    augmented = diff_augment(leaf, augmentation)
    (gradient,) = torch.autograd.grad(augmented.square().sum() / 2, leaf)
    figure, axes = plt.subplots(1, 3, figsize=(5.6, 2.1))
    show_picture(axes[0], picture, "x")
    show_picture(axes[1], augmented[0], "T(x)")
    axes[2].imshow(gradient[0].abs().sum(0).numpy(), cmap="magma", vmin=0)
    bare(axes[2])
    axes[2].set_title("where the gradient arrives", fontsize=9)
    return figure


def draws_table(
    picture: Tensor, steps: Mapping[str, Callable[[Tensor, torch.Generator], Tensor]], draws: int = 8
) -> Figure:
    """A row for each step: draws of it for one picture (C, H, W), after the picture itself."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(len(steps), draws + 1, figsize=(0.72 * (draws + 1) + 0.9, 0.78 * len(steps)))
    batch = picture.expand(draws, *picture.shape)  # (draws, C, H, W)
    for line, (name, step) in zip(axes, steps.items(), strict=True):
        show_picture(line[0], picture)
        line[0].set_ylabel(name, rotation=0, ha="right", va="center")
        for ax, augmented in zip(line[1:], step(batch, torch.Generator().manual_seed(1)), strict=True):
            show_picture(ax, augmented)
    return figure
