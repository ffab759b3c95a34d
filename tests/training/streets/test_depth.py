"""Depths that a LiDAR teaches: those that the cameras' own ray casting gives."""

import pytest
import torch

from efficientlab.datasets.streets.views import street_views
from efficientlab.training.streets.depth import UNKNOWN, depth_loss, depth_targets

VIEWS = street_views("val", 2, augment=True)
DEPTHS = torch.linspace(1.0, 22.0, 25)[:-1]


def test_a_cell_has_the_depth_that_its_pixels_have() -> None:
    targets = depth_targets(VIEWS, DEPTHS, (8, 24), 4)
    known = targets != UNKNOWN
    assert known.float().mean() > 0.6
    pixels = VIEWS.depth.float().unfold(3, 4, 4).unfold(2, 4, 4).flatten(4)  # (N, M, 8, 24, 16)
    depth = DEPTHS[targets.clamp(min=0)]
    step = float(DEPTHS[1] - DEPTHS[0])
    agrees = (depth + step > pixels.amin(-1) - 0.3) & (depth < pixels.amax(-1) + 0.3)
    assert agrees[known].float().mean() > 0.95  # the sensors stand apart: not all see past the same edges


def test_without_points_nothing_is_known() -> None:
    empty = VIEWS.points.where(torch.zeros(len(VIEWS.points.rows), dtype=torch.bool))
    blind = type(VIEWS)(**{**vars(VIEWS), "points": empty})
    targets = depth_targets(blind, DEPTHS, (8, 24), 4)
    assert (targets == UNKNOWN).all()
    assert depth_loss(torch.full((2, 4, 24, 8, 24), 1 / 24), targets) == 0


def test_a_mount_that_cannot_be_inverted_is_named() -> None:
    flat = type(VIEWS)(**{**vars(VIEWS), "to_rig": torch.zeros_like(VIEWS.to_rig)})
    with pytest.raises(ValueError, match="to_rig holds a matrix that cannot be inverted"):
        depth_targets(flat, DEPTHS, (8, 24), 4)


def test_the_loss_is_the_logarithm_of_what_the_right_depth_gets() -> None:
    weights = torch.tensor([0.7, 0.2, 0.1]).view(1, 1, 3, 1, 1).repeat(1, 1, 1, 1, 2)
    targets = torch.tensor([[[[1, UNKNOWN]]]])
    assert depth_loss(weights, targets).item() == pytest.approx(1.6094, abs=1e-4)
