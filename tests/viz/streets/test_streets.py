"""Pictures of streets: that they can be drawn, and that what they show lies where it should."""

import matplotlib as mpl
import numpy as np
import pytest
import torch

mpl.use("Agg")
import matplotlib.pyplot as plt

from efficientlab.datasets.streets.labels import GRID
from efficientlab.datasets.streets.views import street_views
from efficientlab.models.streets.camera import CameraBranch
from efficientlab.viz.streets.calibration import calibration_picture
from efficientlab.viz.streets.cameras import camera_strip, corners, name_of, seen_at
from efficientlab.viz.streets.ground import (
    error_curves,
    extent,
    feature_pictures,
    ground_pictures,
    pixel_on_the_ground,
    said,
    upright,
)
from efficientlab.viz.style import CYCLE

VIEWS = street_views("val", 1)


def test_corners_of_a_box_that_is_turned() -> None:
    box = torch.tensor([[0, 1.0, 2.0, 3.0, 4.0, 2.0, 1.0, torch.pi / 2]])
    found = corners(box)[0]
    assert found.amin(0).tolist() == pytest.approx([0.0, 0.0, 2.5], abs=1e-5)  # its length lies along y now
    assert found.amax(0).tolist() == pytest.approx([2.0, 4.0, 3.5], abs=1e-5)
    assert found[1].tolist() == pytest.approx([2.0, 4.0, 2.5], abs=1e-5)  # ahead, on its right


def test_points_are_seen_where_the_pictures_show_their_depth() -> None:
    for camera in range(4):
        seen = seen_at(VIEWS.points.rows[:, :3], VIEWS, camera)
        u, v, depth = seen.unbind(1)
        shown = (depth > 1) & (u > 0) & (u < 95) & (v > 0) & (v < 31)
        picture = VIEWS.depth[0, camera].float()[v[shown].round().long(), u[shown].round().long()]
        assert (picture - depth[shown]).abs().less(0.2 * depth[shown]).float().mean() > 0.85


def test_ahead_is_up_and_left_is_left() -> None:
    cells = torch.zeros(64, 64)
    cells[60, 60] = 1.0  # far ahead, far to the left
    row, column = np.argwhere(upright(cells))[0]
    assert row < 10
    assert column < 10
    assert extent(GRID) == (16.0, -16.0, -16.0, 16.0)


def test_thresholds_of_each_class() -> None:
    logits = torch.zeros(2, 1, 1)
    assert said(logits, torch.tensor([0.4, 0.6])).flatten().tolist() == [True, False]


@pytest.mark.slow
def test_everything_can_be_drawn() -> None:
    boxes = torch.cat([VIEWS.boxes.rows, torch.full((len(VIEWS.boxes.rows), 1), 0.9)], 1)
    branch = CameraBranch(2, GRID)
    figures = [
        camera_strip(VIEWS),
        camera_strip(VIEWS, boxes, torch.rand(4, 8, 24)),
        ground_pictures(VIEWS, {"perfect": (VIEWS.map[0], boxes)}),
        feature_pictures({"noise": torch.rand(3, 64, 64), "nothing": torch.zeros(3, 64, 64)}),
        pixel_on_the_ground(VIEWS, branch.points(VIEWS)[0]),
        error_curves({"degrees": ([0.0, 1.0], {"fusion": [50.0, 40.0]}, {"fusion": [80.0, 70.0]})}),
    ]
    for figure in figures:
        figure.canvas.draw()
        plt.close(figure)


def test_of_boxes_at_one_place_the_surest_lies_on_top() -> None:
    box = VIEWS.boxes.rows[:1].repeat(3, 1)
    box[:, 0] = torch.arange(3)
    found = torch.cat([box, torch.tensor([[0.9], [0.5], [0.2]])], 1)  # as they are found, by falling score
    drawn = ground_pictures(VIEWS, {"found": (VIEWS.map[0], found)}).axes[1].lines
    assert [line.get_color() for line in drawn] == [CYCLE[1], CYCLE[0]]
    plt.close("all")


def test_a_camera_has_the_name_of_where_it_looks() -> None:
    ahead, left = torch.tensor([[9.0, 0.0, 1.0]]), torch.tensor([[0.0, 9.0, 1.0]])
    for place, name in ((ahead, "ahead"), (left, "left"), (-left, "right"), (-ahead, "behind")):
        towards = [float((VIEWS.to_rig[0, camera].inverse()[:3, :3] @ place[0])[2]) for camera in range(4)]
        assert name_of(int(np.argmax(towards))) == name


def test_the_points_of_a_wrong_calibration_lie_beside_those_of_the_right_one() -> None:
    right, wrong = (
        calibration_picture(views, {"truth": VIEWS.map[0]}) for views in (VIEWS, VIEWS.misplaced(degrees=5.0))
    )
    places = [np.asarray(figure.axes[0].collections[0].get_offsets()) for figure in (right, wrong)]
    assert [ax.get_title() for ax in right.axes] == ["ahead: the LiDAR's points, as believed", "truth"]
    assert all(len(place) > 50 and place[:, 0].max() < 96 and place[:, 1].max() < 32 for place in places)
    assert places[0].shape != places[1].shape or not np.allclose(places[0], places[1], atol=1)
    plt.close("all")
