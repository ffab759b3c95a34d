"""What the cameras saw: pictures in a strip with boxes drawn into them, and depths below."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from efficientlab.datasets.streets.labels import CLASSES
from efficientlab.datasets.streets.views import Views
from efficientlab.viz.style import CYCLE, bare

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NAMES = ("left", "ahead", "right", "behind")
ORDER = (1, 0, 2, 3)
"""Of the four cameras in a strip: as one turns to the right."""
_EDGES = ((0, 1), (1, 3), (3, 2), (2, 0), (4, 5), (5, 7), (7, 6), (6, 4), (0, 4), (1, 5), (2, 6), (3, 7))


def name_of(camera: int) -> str:
    """Where one of the four cameras looks."""
    return NAMES[ORDER.index(camera)]


def corners(boxes: Tensor) -> Tensor:
    """(T, 8, 3): the corners of boxes (T, 8 or more), x fastest, then y, then z."""
    unit = torch.tensor([[x, y, z] for z in (-0.5, 0.5) for y in (-0.5, 0.5) for x in (-0.5, 0.5)])
    own = unit * boxes[:, None, 4:7]  # (T, 8, 3)
    cosine, sine = boxes[:, 7].cos()[:, None], boxes[:, 7].sin()[:, None]
    x, y, z = own.unbind(2)
    return torch.stack([cosine * x - sine * y, sine * x + cosine * y, z], 2) + boxes[:, None, 1:4]


def seen_at(points: Tensor, views: Views, camera: int) -> Tensor:
    """(…, 3): column, row and depth at which a camera of a set of one street sees points (…, 3) of the rig's frame."""
    to_camera = torch.linalg.inv(views.to_rig[0, camera])
    own = points @ to_camera[:3, :3].T + to_camera[:3, 3]
    seen = own @ (views.augment[0, camera] @ views.intrinsics[0, camera]).T
    depth = seen[..., 2:]
    return torch.cat([seen[..., :2] / depth.clamp(min=1e-3), depth], -1)


def camera_strip(views: Views, boxes: Tensor | None = None, depth: Tensor | None = None) -> Figure:
    """The pictures of one street, with boxes (T, 8) in the colours of their classes; below, depths (M, h, w) in metres.

    Args:
        views: a set of one street.
        boxes: to be drawn; by default those of the street.
        depth: what stands below; by default the true depth.
    """
    import matplotlib.pyplot as plt

    boxes = views.boxes.rows if boxes is None else boxes
    depth = views.depth[0].float() if depth is None else depth
    height, width = views.image.shape[-2:]
    figure, axes = plt.subplots(2, len(ORDER), figsize=(13, 2.8), squeeze=False)
    for k, camera in enumerate(ORDER):
        above, below = axes[0, k], axes[1, k]
        above.imshow(views.image[0, camera].permute(1, 2, 0).numpy())
        above.set_title(NAMES[k])
        for box, kind in zip(corners(boxes), boxes[:, 0].long().tolist(), strict=True):
            _draw_box(above, seen_at(box, views, camera), CYCLE[kind % len(CYCLE)])
        above.set_xlim(-0.5, width - 0.5)
        above.set_ylim(height - 0.5, -0.5)
        shown = below.imshow(depth[camera].clamp(max=25).numpy(), cmap="viridis_r", vmin=0, vmax=25)
        bare(above)
        bare(below)
    figure.colorbar(shown, ax=axes[1].tolist(), label="depth, m")
    for kind, name in enumerate(CLASSES):
        axes[0, 0].plot([], [], color=CYCLE[kind], lw=3, label=name)
    figure.legend(loc="outside lower center", ncols=len(CLASSES))
    return figure


def _draw_box(ax: Axes, seen: Tensor, colour: str) -> None:
    """The edges of a box whose corners (8, 3) are seen; not if one is behind the camera."""
    if (seen[:, 2] < 0.3).any():
        return
    for a, b in _EDGES:
        ax.plot(seen[[a, b], 0].tolist(), seen[[a, b], 1].tolist(), color=colour, lw=0.9)
