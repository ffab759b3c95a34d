"""What the depths of pixels are, as far as a LiDAR measured them: in training it may teach the camera.

Li et al., "BEVDepth" (AAAI 2023): the losses on boxes and maps alone make depths that serve, but hardly any that are
right, and they make them slowly.
"""

from __future__ import annotations

import torch
from torch import Tensor

from efficientlab.datasets.streets.views import Views

UNKNOWN = -1


def depth_targets(views: Views, depths: Tensor, size: tuple[int, int], stride: int) -> Tensor:
    """int64 (N, M, H, W): for each cell of a feature map the candidate depth that is nearest below the nearest point.

    `UNKNOWN` where no point of the sweep is seen, or it lies before the first depth or a step beyond the last.

    Args:
        views: of N streets and M cameras.
        depths: (D,), evenly spaced.
        size: (H, W) of the feature map.
        stride: pixels of the picture that a cell is wide.

    Raises:
        ValueError: a mount that cannot be inverted.
    """
    height, width = size
    n, m = views.image.shape[:2]
    points, scene = views.points.rows[:, :3], views.points.scene
    try:
        to_camera = torch.linalg.inv(views.to_rig)[scene]  # (P, M, 4, 4)
    except torch.linalg.LinAlgError as error:
        raise ValueError("to_rig holds a matrix that cannot be inverted") from error
    own = torch.einsum("pmij,pj->pmi", to_camera[..., :3, :3], points) + to_camera[..., :3, 3]
    seen = torch.einsum("pmij,pmj->pmi", (views.augment @ views.intrinsics)[scene], own)  # (P, M, 3)
    depth = seen[..., 2]
    u, v = (seen[..., k] / depth.clamp(min=1e-3) for k in (0, 1))
    column, row = (((x - (stride - 1) / 2) / stride).round().long() for x in (u, v))
    step = depths[1] - depths[0]
    bin_ = ((depth - depths[0]) / step).floor().long()
    inside = (depth > 0) & (bin_ >= 0) & (bin_ < len(depths))
    inside &= (column >= 0) & (column < width) & (row >= 0) & (row < height)
    camera = torch.arange(m, device=scene.device)
    place = ((scene[:, None] * m + camera) * height + row) * width + column
    found = torch.full((n * m * height * width,), len(depths), device=scene.device)
    found.scatter_reduce_(0, place[inside], bin_[inside], "amin")
    return torch.where(found == len(depths), UNKNOWN, found).view(n, m, height, width)


def depth_loss(weights: Tensor, targets: Tensor) -> Tensor:
    """Cross-entropy of the depths' weights (N, M, D, H, W) with targets (N, M, H, W), where there are any."""
    known = targets != UNKNOWN
    likely = weights.movedim(2, -1)[known].gather(1, targets[known][:, None])  # (known, 1)
    return -likely.clamp(min=1e-6).log().sum() / max(1, len(likely))
