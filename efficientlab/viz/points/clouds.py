"""Point clouds: coloured by part and by error, merged into voxels; turnable with plotly where a person looks."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from efficientlab.frontend import answered
from efficientlab.kernels import avg_voxelize, normalize_to_grid
from efficientlab.viz.style import BLUE, CYCLE, GREY, RED, bare

if TYPE_CHECKING:
    import plotly.graph_objects as go
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

EXTRA = ("#d6569c", "#17a9b8", "#b5a81e")  # more colours, as far from those of the style as can be
AZIMUTH, ELEVATION = -60.0, 25.0  # degrees: where the viewer stands


def seen_from(
    points: Tensor, azimuth: float = AZIMUTH, elevation: float = ELEVATION
) -> tuple[Tensor, Tensor]:
    """Parallel projection of points (3, P): places on the picture (2, P), right and up, and nearness (P,).

    The viewer stands at `azimuth` degrees from x towards y and `elevation` degrees above the ground.
    """
    a, e = math.radians(azimuth), math.radians(elevation)
    right = torch.tensor([-math.sin(a), math.cos(a), 0.0])
    towards = torch.tensor([math.cos(e) * math.cos(a), math.cos(e) * math.sin(a), math.sin(e)])
    axes = torch.stack([right, torch.linalg.cross(towards, right), towards])
    turned = axes @ points.float().cpu()  # (3, P)
    return turned[:2], turned[2]


def clouds_by_part(points: Tensor, parts: Tensor, titles: Sequence[str], columns: int = 4) -> Figure:
    """One panel a cloud, points coloured by their part.

    Args:
        points: (N, 3, P).
        parts: integers (N, P); the colours of a panel count the parts that occur in it, from the lowest.
        titles: N of them.
    """
    import matplotlib.pyplot as plt

    rows = -(-len(points) // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(2.1 * columns, 2.1 * rows), squeeze=False)
    for ax in axes.flat[len(points) :]:
        ax.set_visible(False)
    for ax, x, part, title in zip(axes.flat, points, parts, titles, strict=False):
        scatter(ax, x, palette(part))
        ax.set_title(title)
    return figure


def errors(points: Tensor, true: Tensor, predicted: Mapping[str, Tensor]) -> Figure:
    """The truth beside each contestant's answer: above by part, below its wrong points in red and the rest in grey.

    Shapes: points (3, P), true and each of `predicted` (P,).
    """
    import matplotlib.pyplot as plt

    answers = {"truth": true, **predicted}
    figure, axes = plt.subplots(2, len(answers), figsize=(2.3 * len(answers), 4.6), squeeze=False)
    everything = torch.stack([*answers.values()]).cpu()
    # one part, one colour in all panels
    colours = palette(everything.flatten()).reshape(*everything.shape, 4)
    for i, (name, answer) in enumerate(answers.items()):
        wrong = (answer.cpu() != true.cpu()).numpy()
        scatter(axes[0, i], points, colours[i])
        axes[0, i].set_title(name)
        if i:
            scatter(axes[1, i], points, np.where(wrong, RED, GREY), np.where(wrong, 9.0, 2.0))
            axes[1, i].set_title(f"{wrong.sum()} of {len(wrong)} wrong")
    axes[1, 0].set_visible(False)
    return figure


def draw_voxels(points: Tensor, resolution: int) -> Figure:
    """A cloud (3, P), and what a grid of R³ voxels keeps of it: one mean point a voxel, red where several merged."""
    import matplotlib.pyplot as plt

    merged, count = merged_points(points, resolution)
    alone = (count == 1).sum().item()
    figure, axes = plt.subplots(1, 2, figsize=(7.6, 3.5))
    scatter(axes[0], points, np.full(points.shape[1], BLUE), 4.0)
    axes[0].set_title(f"{points.shape[1]:,} points")
    size = 3 + 4 * count.sqrt().clamp_max(8)
    scatter(axes[1], merged, np.where(count > 1, RED, BLUE), size.numpy())
    share = f"{alone / points.shape[1]:.0%} of the points alone in their voxel"
    axes[1].set_title(f"R = {resolution}: {len(count):,} of {resolution**3:,} voxels\n{share}")
    return figure


def merged_points(points: Tensor, resolution: int) -> tuple[Tensor, Tensor]:
    """The mean point (3, V) of each occupied voxel of a cloud (3, P), and how many points it holds (V,)."""
    coords = normalize_to_grid(points[None], resolution)
    grid = avg_voxelize(points[None].float(), coords, resolution)[0].flatten(1)  # (3, R³)
    x, y, z = coords[0].round().long()
    index, count = ((x * resolution + y) * resolution + z).unique(return_counts=True)  # (V,) each
    return grid[:, index], count


def show_turnable(points: Tensor, parts: Tensor, names: Sequence[str], title: str) -> None:
    """Show a cloud that can be turned with the mouse; where no front end answers, or without plotly, a still picture.

    The still one is also in the turnable one's output, for a notebook that is printed or converted.

    Shapes: points (3, P), parts (P,), integers; names by part.
    """
    import matplotlib.pyplot as plt
    from IPython.core.pylabtools import print_figure
    from IPython.display import display

    figure, ax = plt.subplots(figsize=(4.8, 3.2))
    scatter(ax, points, label_colours(parts, names))
    ax.set_title(title)
    plt.close(figure)
    if not (answered() and find_spec("plotly")):
        display(figure)
        return
    still = {"image/png": print_figure(figure, base64=True)}
    display(still | turnable(points, parts, names, title)._repr_mimebundle_(), raw=True)


def turnable(points: Tensor, parts: Tensor, names: Sequence[str], title: str) -> go.Figure:
    """The cloud as a plotly figure, with one entry of the legend for each part; see `show_turnable`."""
    import plotly.graph_objects as go
    from matplotlib.colors import to_hex

    x = points.cpu().numpy()
    traces = []
    found = parts.unique()
    for colour, label in zip(label_colours(found, names), found.tolist(), strict=True):
        mine = (parts == label).cpu().numpy()
        marker = {"size": 2.5, "color": to_hex(colour)}
        traces.append(
            go.Scatter3d(
                x=x[0, mine], y=x[1, mine], z=x[2, mine], mode="markers", marker=marker, name=names[label]
            )
        )
    layout = {
        "title": title,
        "scene": {"aspectmode": "data"},
        "height": 480,
        "legend": {"itemsizing": "constant"},
    }
    return go.Figure(traces, layout)


def label_colours(labels: Tensor, names: Sequence[str]) -> NDArray[np.float64]:
    """A colour (…, 4) for each label: the same in every cloud, unless there are more names than plain colours."""
    if len(names) > len(CYCLE) + len(EXTRA):
        return palette(labels)
    return palette(torch.arange(len(names)))[labels.cpu().numpy()]


def palette(part: Tensor) -> NDArray[np.float64]:
    """A colour (…, 4) for each label, by its rank among the labels that occur; up to 30 differ."""
    from matplotlib import colormaps
    from matplotlib.colors import to_rgba_array

    colours = to_rgba_array([*CYCLE, *EXTRA, *colormaps["tab20b"](range(20))])
    _, rank = part.cpu().unique(return_inverse=True)
    return colours[rank.numpy() % len(colours)]


def scatter(ax: Axes, points: Tensor, colours: NDArray[Any], sizes: NDArray[Any] | float = 3.0) -> None:
    """Points (3, P) as the viewer of `seen_from` sees them, each with its colour and size."""
    place, nearness = seen_from(points)
    order = nearness.argsort().numpy()  # the nearest points are painted last
    size = sizes[order] if isinstance(sizes, np.ndarray) else sizes
    across, up = place[:, order].numpy()
    ax.scatter(across, up, s=size, c=colours[order], linewidths=0)
    ax.set_aspect("equal", adjustable="datalim")  # panels side by side keep one height
    bare(ax)
