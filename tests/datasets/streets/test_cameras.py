"""Cameras: rays and projections undo each other, and no axis can be exchanged for another unnoticed."""

import dataclasses

import numpy as np
import pytest

from efficientlab.datasets.streets.cameras import Cameras, draw_augment, mounted, pinhole, rig

RIG = rig()


def test_a_pixel_at_a_depth_projects_to_itself() -> None:
    cameras = RIG.augmented(draw_augment(RIG, np.random.default_rng(0)))
    places, rays = cameras.rays()
    height, width = cameras.size
    v, u = np.mgrid[:height, :width]
    for m in range(len(cameras)):
        points = places[m] + 7.5 * rays[m].reshape(-1, 3)
        seen = cameras.project(points)[m]
        assert seen[:, 0] == pytest.approx(u.ravel(), abs=1e-8)
        assert seen[:, 1] == pytest.approx(v.ravel(), abs=1e-8)
        assert seen[:, 2] == pytest.approx(7.5)


def test_one_camera_by_hand() -> None:
    """Looking along x from (1, 0, 2): what is to the left is left in the picture, what is low is low."""
    K = np.array([[10.0, 0, 4], [0, 10.0, 3], [0, 0, 1]])
    camera = Cameras(K[None], mounted(1.0, 0.0, 2.0, 0.0, 0.0)[None], np.eye(3)[None], (7, 9))
    ahead, left, below = camera.project(np.array([[6.0, 0, 2], [6.0, 1, 2], [6.0, 0, 1]]))[0]
    assert ahead == pytest.approx([4, 3, 5])
    assert left == pytest.approx([2, 3, 5])
    assert below == pytest.approx([4, 5, 5])


def test_a_camera_that_looks_down_sees_the_road_in_its_middle() -> None:
    mount = mounted(0.0, 0.0, 2.0, np.pi / 2, 0.1)
    assert mount[:3, 2] == pytest.approx([0, np.cos(0.1), -np.sin(0.1)])
    assert np.linalg.det(mount) == pytest.approx(1)


def test_the_field_of_view_is_from_edge_to_edge() -> None:
    K = pinhole((32, 96), np.pi / 2)
    left, right = (np.linalg.inv(K) @ (u, 15.5, 1) for u in (-0.5, 95.5))
    assert left[0] == pytest.approx(-1)
    assert right[0] == pytest.approx(1)


def test_the_rig_sees_all_around_and_no_two_cameras_are_alike() -> None:
    _, rays = RIG.rays()
    azimuth = np.degrees(np.arctan2(rays[:, 16, :, 1], rays[:, 16, :, 0]))  # (M, W)
    seen = np.zeros(360, bool)
    seen[np.floor(azimuth.ravel()).astype(int) % 360] = True
    assert seen.sum() > 230  # of 360 degrees, by 4 · 96 pixels that are wider in the middle
    ordered = np.sort(azimuth.ravel() % 360)
    assert np.diff(ordered, append=ordered[0] + 360).max() < 2.0
    focal = RIG.intrinsics[:, 0, 0]
    assert len(set(focal.round(3))) == len(RIG)
    for mirror in (np.diag([1, -1, 1]), np.diag([-1, 1, 1]), np.diag([-1, -1, 1])):
        places = RIG.to_rig[:, :3, 3] @ mirror
        assert np.linalg.norm(places[:, None] - RIG.to_rig[:, :3, 3], axis=-1).min() > 0.1


def test_augmentations_follow_one_another() -> None:
    first = np.tile(np.array([[2.0, 0, -3], [0, 2.0, 1], [0, 0, 1]]), (4, 1, 1))
    second = np.tile(np.diag([-1.0, 1.0, 1.0]), (4, 1, 1))
    point = np.array([[9.0, 1.0, 0.5]])
    once, twice = (c.project(point)[0, 0] for c in (RIG, RIG.augmented(first).augmented(second)))
    assert twice == pytest.approx([-(2 * once[0] - 3), 2 * once[1] + 1, once[2]])


def test_drawn_augmentations_mirror_half_of_the_pictures_and_keep_their_middle_near() -> None:
    rng = np.random.default_rng(0)
    drawn = np.concatenate([draw_augment(RIG, rng) for _ in range(100)])
    assert 0.4 < (np.linalg.det(drawn[:, :2, :2]) < 0).mean() < 0.6
    scale = np.sqrt(np.abs(np.linalg.det(drawn[:, :2, :2])))
    assert 0.95 <= scale.min() < 1.0 < 1.15 < scale.max() <= 1.2
    middle = drawn @ (47.5, 15.5, 1.0)
    assert np.abs(middle - (47.5, 15.5, 1.0)).max() < 6.5


def test_bad_matrices_are_named() -> None:
    for name, value, says in (
        ("intrinsics", np.zeros((4, 3, 3)), "intrinsics holds a matrix that cannot be inverted"),
        ("to_rig", RIG.to_rig * np.nan, "to_rig holds a matrix that cannot be inverted"),
        (
            "augment",
            np.tile(np.eye(4), (4, 1, 1)),
            r"augment must be \(4, 3, 3\) for 4 cameras, got \(4, 4, 4\)",
        ),
        ("to_rig", RIG.to_rig[:3], r"to_rig must be \(4, 4, 4\) for 4 cameras, got \(3, 4, 4\)"),
    ):
        with pytest.raises(ValueError, match=says):
            dataclasses.replace(RIG, **{name: value})
