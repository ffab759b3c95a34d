"""Two demos for `viz.explore`: a slider over the super student's widths, and an editor of drawings."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from efficientlab.models.gan.pix2pix import Config, uniform
from efficientlab.models.gan.super_student import SuperStudent
from efficientlab.viz.gan.translation import picture_rows
from efficientlab.viz.style import bare

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def width_explorer(
    student: SuperStudent,
    drawings: Tensor,
    macs: Callable[[Config, int, bool], int],
    outside: int,
    inside: int,
) -> Figure:
    """The super student's pictures of drawings (N, 1, H, W) at a configuration, with its MACs and its time.

    Args:
        outside: width of the down- and up-sampling layers and of the stream, at full size.
        inside: width inside the blocks, on the same scale.
    """
    at_inside = uniform(inside)
    config = uniform(outside)._replace(
        inner1=at_inside.inner1, inner2=at_inside.inner2, inner3=at_inside.inner3
    )
    pictures, seconds = _timed(student.configure(config), drawings)
    figure = picture_rows({"drawing": drawings.cpu(), "picture": pictures}, count=len(drawings), inches=1.25)
    figure.suptitle(
        f"{config}: {macs(config, drawings.shape[-1], True) / 1e6:.2f} M MACs, {1e3 * seconds:.1f} ms a picture",
        fontsize=9.5,
    )
    return figure


def edited_drawing(
    generators: Mapping[str, nn.Module], drawings: Tensor, drawing: int, taller: int, right: int
) -> Figure:
    """What each generator makes of one of the drawings (N, 1, H, W) after an edit, and how long it takes.

    Args:
        drawing: which one.
        taller: how many times the row at the middle of the drawn part is repeated.
        right: pixels to move it by; what leaves the picture is gone.
    """
    import matplotlib.pyplot as plt

    edited = edit(drawings[drawing], taller, right)
    answers = {
        name: _timed(net, edited[None].to(next(net.parameters()).device)) for name, net in generators.items()
    }
    strip = {"before": drawings[drawing][None], "edited": edited[None]}
    shown = strip | {f"{name}, {1e3 * s:.1f} ms": picture for name, (picture, s) in answers.items()}
    figure, axes = plt.subplots(1, len(shown), figsize=(1.9 * len(shown), 2.1))
    for ax, (name, picture) in zip(axes, shown.items(), strict=True):
        ax.imshow(picture[0, 0].numpy(), cmap="gray", vmin=-1, vmax=1)
        ax.set_title(name)
        bare(ax)
    return figure


def edit(drawing: Tensor, taller: int, right: int) -> Tensor:
    """A drawing (1, H, W), white lines on black, with its upper half moved up and all of it moved to the right."""
    height, width = drawing.shape[-2:]
    drawn = (drawing > 0).any(-1)[0].nonzero()  # rows with a line
    middle = int(drawn.float().mean().round()) if len(drawn) else height // 2
    taller = min(taller, middle)
    top, bottom = drawing[:, taller : middle + 1], drawing[:, middle + 1 :]
    stretched = torch.cat([top, drawing[:, middle : middle + 1].expand(-1, taller, -1), bottom], 1)
    moved = torch.full_like(stretched, -1.0)
    moved[..., max(0, right) : width + min(0, right)] = stretched[..., max(0, -right) : width - max(0, right)]
    return moved


@torch.inference_mode()
def _timed(net: nn.Module, drawings: Tensor) -> tuple[Tensor, float]:
    """The pictures (N, 1, H, W), and the median time of one of nine calls for one picture, in seconds."""
    pictures = net(drawings).cpu()
    times = []
    for _ in range(9):
        start = time.perf_counter()
        net(drawings[:1]).cpu()
        times.append(time.perf_counter() - start)
    return pictures, sorted(times)[4]
