"""The LiDAR: points on what their labels say, noise and losses as documented, a rig that leans."""

from typing import Any

import numpy as np
import pytest
from distance import signed_distance
from normal_draws import million_draws

from efficientlab.counters import compare, processor_time
from efficientlab.datasets.streets.lidar import Lidar, Sweep, scan
from efficientlab.datasets.streets.scene import draw_scene
from efficientlab.datasets.streets.things import KINDS, LABELS

EXACT = Lidar(noise=0.0, lost=0.0)
SCENES = [draw_scene(seed) for seed in range(8)]


def on_plan(sweep: Sweep, turn: np.ndarray) -> np.ndarray:
    """Points (P, 3) on the plan, where the road is z = 0."""
    return sweep.points.astype(np.float64) @ turn.T


@pytest.mark.parametrize("seed", range(4))
def test_points_lie_on_what_their_labels_say(seed: int) -> None:
    scene = SCENES[seed]
    sweep = scan(scene, EXACT)
    points = on_plan(sweep, scene.turn)
    distance = signed_distance(scene.solids, points)  # (P, S)
    road = sweep.label == LABELS.index("road")
    assert np.abs(points[road, 2]).max() < 1e-4
    assert distance[road].min() > -1e-4
    for point, label, thing in zip(distance[~road], sweep.label[~road], sweep.thing[~road], strict=True):
        touched = np.abs(point) < 1e-4
        assert touched.any()
        assert point.min() > -1e-4  # nothing in front of it: the point lies within nothing
        assert label in scene.solids.label[touched]
        assert thing in scene.solids.thing[touched]


def test_labels_and_things_agree() -> None:
    for scene in SCENES:
        sweep = scan(scene)
        own = sweep.thing >= 0
        kind = scene.things.kind[sweep.thing[own]]
        names = ["car" if KINDS[k] == "taxi" else KINDS[k] for k in kind]
        assert names == [LABELS[i] for i in sweep.label[own]]
        assert (sweep.label[~own] < 3).all()


def test_a_sweep_has_about_four_thousand_points_of_all_classes() -> None:
    sweeps = [scan(scene) for scene in SCENES]
    assert 3_900 < np.mean([len(s) for s in sweeps]) < 4_400
    counts = np.bincount(np.concatenate([s.label for s in sweeps]), minlength=len(LABELS)) / len(sweeps)
    assert counts.min() > 10
    assert (sweeps[0].points.dtype, sweeps[0].label.dtype) == (np.float32, np.int64)


def test_noise_runs_along_the_ray_and_has_the_documented_spread() -> None:
    errors = []
    for scene in SCENES:
        exact = scan(scene, EXACT).points.astype(np.float64)
        noisy = scan(scene, Lidar(lost=0.0)).points.astype(np.float64)
        origin = (0.0, 0.0, 1.8)
        ray, moved = exact - origin, noisy - exact
        along = (moved * ray).sum(1) / np.linalg.norm(ray, axis=1)
        assert np.abs(np.linalg.norm(moved, axis=1) - np.abs(along)).max() < 1e-4
        errors.append(along)
    error = np.concatenate(errors)
    assert error.std() == pytest.approx(0.02, rel=0.03)  # 34,000 draws: a standard error of 0.4 %
    assert abs(error.mean()) < 1e-3


def test_lost_returns_are_more_where_they_are_far() -> None:
    near = far = all_near = all_far = 0
    for scene in SCENES:
        for sweep, kept in ((scan(scene, Lidar(lost=0.1)), True), (scan(scene, Lidar(lost=0.0)), False)):
            distance = np.linalg.norm(sweep.points - np.float32([0, 0, 1.8]), axis=1)
            a, b = int((distance < 8).sum()), int((distance > 25).sum())
            near, far = (near + a, far + b) if kept else (near, far)
            all_near, all_far = (all_near, all_far) if kept else (all_near + a, all_far + b)
    assert 1 - near / all_near == pytest.approx(0.105, abs=0.02)
    assert 1 - far / all_far == pytest.approx(0.23, abs=0.04)


def test_nothing_is_measured_beyond_the_reach() -> None:
    sweep = scan(SCENES[0], Lidar(reach=12.0, noise=0.0))
    assert np.linalg.norm(sweep.points - np.float32([0, 0, 1.8]), axis=1).max() < 12.0


def test_a_leaning_rig_sees_a_leaning_road() -> None:
    """The plane that fits the road's points is the plan's, turned back."""
    scene = draw_scene(2, tilt=0.05)
    sweep = scan(scene)
    road = sweep.points[sweep.label == LABELS.index("road")].astype(np.float64)
    slope, *_ = np.linalg.lstsq(np.c_[road[:, :2], np.ones(len(road))], road[:, 2], rcond=None)
    normal = np.append(-slope[:2], 1) / np.linalg.norm(np.append(slope[:2], 1))
    assert normal == pytest.approx(scene.turn[2], abs=3e-3)
    assert np.abs(road[:, 2]).max() > 0.3  # so height alone does not tell the road


def test_seeds_and_beams() -> None:
    first, again, other = scan(SCENES[0]), scan(SCENES[0]), scan(SCENES[0], seed=1)
    assert np.array_equal(first.points, again.points)
    assert not np.array_equal(first.points[:50], other.points[:50])
    four = scan(SCENES[0], Lidar(beams=4, columns=300))
    assert set(four.beam) == set(range(4))
    assert four.column.max() > 250
    order = four.beam * 300 + four.column
    assert (np.diff(order) > 0).all()
    height = [first.points[first.beam == b, 2].max() for b in (0, 31)]
    assert height[0] < height[1]


def test_labels_are_the_same_on_every_machine() -> None:
    """Recorded once. The points themselves are rounded by sines, which libraries round in their own way."""
    assert np.bincount(scan(draw_scene(0)).label, minlength=len(LABELS)).tolist() == [
        1484,
        763,
        1505,
        55,
        0,
        199,
        0,
        49,
        177,
    ]


@pytest.mark.slow
def test_a_sweep_is_cheap() -> None:
    """A scene with its 4,096 points costs less than a million normal draws, 10 ms on most machines."""

    def sweep() -> None:
        scan(draw_scene(0))

    assert (
        compare({"sweep": sweep, "draws": million_draws}, "draws", timer=processor_time)
        .ratio["sweep"]
        .below(1)
    )


def test_wrong_arguments_are_named() -> None:
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"beams": 0}, "beams and columns must be positive; got 0 and 144"),
        ({"lowest": 0.2}, "altitudes must rise"),
        ({"highest": 2.0}, "altitudes must rise"),
        ({"lost": 0.5}, r"lost in \[0, 1/3\]"),
        ({"reach": 0.0}, "height and reach must be positive"),
    ]
    for arguments, says in wrong:
        with pytest.raises(ValueError, match=says):
            Lidar(**arguments)
