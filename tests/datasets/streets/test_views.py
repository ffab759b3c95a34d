"""Sets of views: boxes and maps where they are, sets that are seeded, and frames that turn with all they hold."""

import numpy as np
import pytest
import torch

from efficientlab.datasets.streets.labels import CLASSES, GRID, MAPS, boxes, map_raster
from efficientlab.datasets.streets.layout import AREAS
from efficientlab.datasets.streets.lidar import scan
from efficientlab.datasets.streets.scene import draw_scene
from efficientlab.datasets.streets.views import LIDAR, Views, street_views
from efficientlab.kernels import BEVGrid

VIEWS = street_views("train", 6, night=0.5, augment=True)


def equal(a: Views, b: Views, *but: str) -> bool:
    return all(
        torch.equal(x.rows, y.rows) if hasattr(x, "rows") else torch.equal(x, y)
        for name, x in vars(a).items()
        if name not in but
        for y in [getattr(b, name)]
    )


def test_shapes_and_types() -> None:
    assert (VIEWS.image.shape, VIEWS.image.dtype) == ((6, 4, 3, 32, 96), torch.uint8)
    assert VIEWS.map.shape == (6, len(MAPS), 64, 64)
    assert VIEWS.points.rows.shape[1] == 4
    assert VIEWS.boxes.rows.shape[1] == 8
    assert len(VIEWS) == len(VIEWS.points) == len(VIEWS.boxes) == 6
    assert VIEWS.night.tolist() == [False, True] * 3


def test_a_street_depends_on_its_place_alone() -> None:
    assert equal(street_views("train", 2, night=0.5, augment=True), VIEWS[:2])
    by_day = street_views("train", 2)
    assert equal(by_day, VIEWS[:2], "image", "depth", "augment", "night")
    assert torch.equal(by_day.augment, torch.eye(3).expand(2, 4, 3, 3))
    for other in (street_views("test", 2), street_views("train", 2, seed=1)):
        assert not torch.equal(other.map, by_day.map)


def test_boxes_are_around_the_points_of_things() -> None:
    """Without noise every point of a car lies in its box, as the rig sees it."""
    for seed in range(6):
        scene = draw_scene(seed, tilt=0.02)
        sweep = scan(scene)
        rows = boxes(scene, sweep)
        assert (rows[:, 0] < len(CLASSES)).all()
        for kind, x, y, z, length, width, height, yaw in rows:
            near = np.linalg.norm(sweep.points[:, :2] - (x, y), axis=1) < np.hypot(length, width) / 2 + 0.05
            own = near & (sweep.thing >= 0)
            own &= np.isin(scene.things.kind[np.maximum(sweep.thing, 0)], [kind])
            assert own.any()
            off = sweep.points[own] - (x, y, z)
            along, across = (
                np.cos(yaw) * off[:, 0] + np.sin(yaw) * off[:, 1],
                np.cos(yaw) * off[:, 1] - np.sin(yaw) * off[:, 0],
            )
            slack = 0.12  # noise, and the rig leans by up to 0.02
            inside = (np.abs(along) < length / 2 + slack) & (np.abs(across) < width / 2 + slack)
            inside &= np.abs(off[:, 2]) < height / 2 + slack
            assert inside.mean() > 0.5  # another of its kind may stand within the circle


def test_things_that_no_point_lies_on_or_outside_the_grid_are_left_out() -> None:
    scene = draw_scene(1, tilt=0.0)
    sweep = scan(scene)
    rows = boxes(scene, sweep)
    assert len(rows) < (scene.things.kind < len(CLASSES)).sum()
    assert np.abs(rows[:, 1:3]).max() < 16
    blind = type(sweep)(*(v[:0] for v in vars(sweep).values()))
    assert boxes(scene, blind).shape == (0, 8)


def test_a_map_shows_areas_at_the_centres_of_cells_x_first() -> None:
    scene = draw_scene(0, tilt=0.0)
    shown = map_raster(scene, BEVGrid((-8.0, 8.0, 0.5), (-4.0, 4.0, 0.25), (-2.0, 4.0)))
    assert shown.shape == (len(MAPS), 32, 32)
    drivable = shown[MAPS.index("drivable")]
    for i, j in ((0, 0), (5, 20), (31, 31), (16, 2)):
        x, y = -8 + 0.5 * (i + 0.5), -4 + 0.25 * (j + 0.5)
        inside = False
        for k in np.flatnonzero(scene.areas.kind == AREAS.index("drivable")):
            yaw, off = scene.areas.yaw[k], (x, y) - scene.areas.centre[k]
            own = np.array([[np.cos(yaw), np.sin(yaw)], [-np.sin(yaw), np.cos(yaw)]]) @ off
            inside |= bool((np.abs(own) <= scene.areas.half[k]).all())
        assert drivable[i, j] == inside


def test_areas_overlap_as_they_should() -> None:
    drivable, crossing, bicycles, divider = (VIEWS.map[:, k] for k in range(len(MAPS)))
    assert (crossing & drivable).any()
    assert not (crossing & ~drivable).any()
    assert not ((bicycles | divider) & ~drivable).any()


def test_half_a_turn_by_quarters_and_back() -> None:
    assert equal(VIEWS.turned(0), VIEWS)
    there = VIEWS.turned(1, mirrored=True)
    again = there.turned(1, mirrored=True)  # a reflection is its own inverse
    assert torch.equal(again.map, VIEWS.map)
    assert torch.allclose(again.points.rows, VIEWS.points.rows)
    assert torch.allclose(again.to_rig, VIEWS.to_rig)
    off = (again.boxes.rows[:, 7] - VIEWS.boxes.rows[:, 7]) % (2 * torch.pi)
    assert torch.minimum(off, 2 * torch.pi - off).max() < 1e-5


@pytest.mark.parametrize("quarters", [1, 2, 3])
@pytest.mark.parametrize("mirrored", [False, True])
def test_maps_turn_with_points(quarters: int, mirrored: bool) -> None:
    """Put a point at the centre of every cell of a map and turn both: the points lie on the cells that were theirs."""
    x, y = torch.meshgrid(*(torch.arange(-15.75, 16.0, 0.5),) * 2, indexing="ij")
    rows = torch.stack([x.flatten(), y.flatten(), 0 * x.flatten(), 0 * x.flatten()], 1)
    one = VIEWS[:1]
    one = type(one)(**{**vars(one), "points": type(one.points)(rows, torch.tensor([len(rows)]))})
    turned = one.turned(quarters, mirrored)
    cell = ((turned.points.rows[:, :2] + 16) / 0.5).floor().long()
    assert torch.equal(turned.map[0][:, cell[:, 0], cell[:, 1]], one.map[0].flatten(1))


def test_fewer_beams() -> None:
    four = VIEWS.with_beams(4)
    assert len(four.points.rows[:, 3].unique()) == 4
    assert equal(four, VIEWS, "points")
    assert equal(VIEWS.with_beams(LIDAR.beams), VIEWS)
    with pytest.raises(ValueError, match="beams must divide 24, got 5"):
        VIEWS.with_beams(5)


def test_a_wrong_calibration_moves_cameras_alone() -> None:
    wrong = VIEWS.misplaced(degrees=90.0, metres=2.0)
    assert equal(wrong, VIEWS, "to_rig")
    ahead = VIEWS.to_rig[0, 0, :3, 2].tolist()
    assert wrong.to_rig[0, 0, :3, 2].tolist() == pytest.approx([-ahead[1], ahead[0], ahead[2]], abs=1e-6)
    x, y, z = VIEWS.to_rig[0, 0, :3, 3].tolist()
    assert wrong.to_rig[0, 0, :3, 3].tolist() == pytest.approx([2 - y, x, z], abs=1e-6)
    assert equal(VIEWS.misplaced(), VIEWS)


def test_every_class_and_area_occurs() -> None:
    some = street_views("val", 12)
    assert (some.boxes.rows[:, 0].long().bincount(minlength=len(CLASSES)) > 3).all()
    assert (some.map.sum((0, 2, 3)) > 50).all()
    assert GRID.cells == (64, 64)


def test_wrong_arguments_are_named() -> None:
    with pytest.raises(ValueError, match="split must be one of train, val, test; got 'dev'"):
        street_views("dev", 2)
    with pytest.raises(ValueError, match="streets must be positive"):
        street_views("val", 0)
    with pytest.raises(ValueError, match=r"night in \[0, 1\]; got 2 and 1.5"):
        street_views("val", 2, night=1.5)
