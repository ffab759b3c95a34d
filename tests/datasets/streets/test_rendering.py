"""Pictures agree with the scene and with the LiDAR; paint is in pictures alone; night is dark."""

from dataclasses import replace

import numpy as np
import pytest
from normal_draws import million_draws

from efficientlab.counters import compare, processor_time
from efficientlab.datasets.streets.cameras import draw_augment, mounted, rig
from efficientlab.datasets.streets.layout import AREAS
from efficientlab.datasets.streets.lidar import Lidar, scan
from efficientlab.datasets.streets.paint import TAXI, covered, paint, windowed
from efficientlab.datasets.streets.rendering import render
from efficientlab.datasets.streets.scene import draw_scene
from efficientlab.datasets.streets.things import KINDS, LABELS

RIG = rig()
SCENES = [draw_scene(seed, tilt=0.02) for seed in range(4)]
PICTURES = [render(scene, RIG) for scene in SCENES]


def test_shapes_and_types() -> None:
    seen = PICTURES[0]
    assert (seen.image.shape, seen.image.dtype) == ((4, 3, 32, 96), np.uint8)
    assert (seen.depth.shape, seen.thing.shape) == ((4, 32, 96), (4, 32, 96))


def test_depths_are_those_that_the_lidar_measures() -> None:
    """Points of a sweep, projected: where a camera sees the same thing, it sees it at the same depth, nearly."""
    agree = total = 0
    for scene, seen in zip(SCENES, PICTURES, strict=True):
        sweep = scan(scene, Lidar(noise=0.0, lost=0.0))
        projected = RIG.project(sweep.points.astype(np.float64))  # (M, P, 3)
        for m in range(len(RIG)):
            u, v, d = projected[m].T
            shown = (d > 0.5) & (np.abs(u - 47.5) < 47) & (np.abs(v - 15.5) < 15)
            row, column = np.rint(v[shown]).astype(int), np.rint(u[shown]).astype(int)
            depth = seen.depth[m, row, column]
            total += shown.sum()
            agree += (np.abs(depth - d[shown]) < 0.15 * d[shown]).sum()
    assert total > 10_000
    assert agree / total > 0.9  # the rest: edges, and the sensors stand a metre apart


def test_a_picture_that_is_augmented_is_the_picture_at_the_pixels_that_it_was_made_of() -> None:
    augment = np.tile(np.array([[-1.0, 0, 95], [0, 1, 0], [0, 0, 1]]), (4, 1, 1))  # mirrored
    seen = render(SCENES[0], RIG.augmented(augment))
    assert np.array_equal(seen.thing[:, :, ::-1], PICTURES[0].thing)
    error = np.abs(seen.image[..., ::-1].astype(int) - PICTURES[0].image)
    assert np.quantile(error, 0.99) < 25  # noise; a few pixels lie on edges
    other = render(SCENES[0], RIG.augmented(draw_augment(RIG, np.random.default_rng(1))))
    assert not np.array_equal(other.thing, PICTURES[0].thing)


def test_the_sky_is_above_and_endless() -> None:
    for seen in PICTURES:
        sky = np.isinf(seen.depth)
        assert not sky[:, 20:].any()
    assert any(np.isinf(seen.depth).any() for seen in PICTURES)


def test_a_taxi_is_yellow_and_a_car_is_not() -> None:
    scene = next(s for s in (draw_scene(k) for k in range(20)) if {0, 1} <= set(s.things.kind))
    colour = paint(scene).colour
    for name in ("car", "taxi"):
        rows = np.isin(scene.solids.thing, np.flatnonzero(scene.things.kind == KINDS.index(name)))
        share = colour[rows] / colour[rows].max(1, keepdims=True)
        is_yellow = np.abs(share - np.array(TAXI) / max(TAXI)).max(1) < 0.05
        assert is_yellow.all() if name == "taxi" else not is_yellow.any()


def test_paint_changes_pictures_and_nothing_that_a_lidar_measures() -> None:
    scene = SCENES[0]
    bare = replace(scene, areas=replace(scene.areas, kind=np.zeros_like(scene.areas.kind)))
    assert np.array_equal(scan(bare).points, scan(scene).points)
    assert not np.array_equal(render(bare, RIG).image, render(scene, RIG).image)


def test_stripes_are_white_where_they_lie() -> None:
    """The colour of road pixels, by whether a stripe lies where their ray meets the road."""
    white, dark = [], []
    for scene, seen in zip(SCENES, PICTURES, strict=True):
        places, rays = RIG.rays()
        for m in range(len(RIG)):
            depth = np.minimum(seen.depth[m], 100.0)[..., None]
            plan = (places[m] + depth * rays[m]) @ scene.turn.T  # (H, W, 3)
            road = (np.abs(plan[..., 2]) < 1e-3) & (seen.depth[m] < 15)
            striped = covered(scene.areas, "stripe", plan[road][:, :2])
            brightness = seen.image[m].mean(0)[road]
            white.append(brightness[striped])
            dark.append(brightness[~striped & ~covered(scene.areas, "bicycle lane", plan[road][:, :2])])
    assert np.concatenate(white).mean() > 2 * np.concatenate(dark).mean()


def test_night_is_dark_and_the_street_the_same() -> None:
    for scene, seen in zip(SCENES, PICTURES, strict=True):
        dark = render(scene, RIG, night=True)
        assert np.array_equal(dark.thing, seen.thing)
        assert np.array_equal(dark.depth, seen.depth)
        assert dark.image.mean() < 0.35 * seen.image.mean()
    ahead, behind = (
        np.mean([render(s, RIG, night=True).image[m, :, 16:].mean() for s in SCENES]) for m in (0, 3)
    )
    assert ahead > 1.3 * behind  # headlights


def test_a_scene_is_painted_the_same_again() -> None:
    assert np.array_equal(render(SCENES[1], RIG).image, PICTURES[1].image)
    assert np.array_equal(paint(SCENES[1]).colour, paint(SCENES[1]).colour)
    assert paint(SCENES[1]).colour.min() >= 0


def test_areas_are_rectangles_that_are_turned() -> None:
    scene = SCENES[0]
    k = int(np.flatnonzero(scene.areas.kind == AREAS.index("drivable"))[0])
    centre, half, yaw = scene.areas.centre[k], scene.areas.half[k], scene.areas.yaw[k]
    across = np.array([-np.sin(yaw), np.cos(yaw)])
    points = np.array([centre, centre + 0.99 * half[1] * across, centre + 1.2 * half[1] * across])
    alone = type(scene.areas)(*(value[k : k + 1] for value in vars(scene.areas).values()))
    assert covered(alone, "drivable", points).tolist() == [True, True, False]
    assert not covered(alone, "stripe", points).any()


def test_windows_are_on_houses_alone() -> None:
    place = np.linspace(0, 20, 500)
    assert 0.1 < windowed(place, np.full(500, 1.8), np.full(500, 2.0)).mean() < 0.5
    assert not windowed(place, np.full(500, 1.8), np.zeros(500)).any()
    scene = SCENES[0]
    assert ((paint(scene).window > 0) == (scene.solids.label == LABELS.index("building"))).all()


@pytest.mark.slow
def test_a_street_in_pictures_is_cheap() -> None:
    """A scene with its pictures and its sweep costs less than four million normal draws, 40 ms on most machines."""

    def street() -> None:
        scene = draw_scene(0)
        scan(scene)
        render(scene, RIG)

    timing = compare({"street": street, "draws": million_draws}, "draws", timer=processor_time)
    assert timing.ratio["street"].below(4)


def test_a_camera_below_the_road_is_named() -> None:
    sunk = replace(RIG, to_rig=np.tile(mounted(0, 0, -1.0, 0, 0), (4, 1, 1)))
    with pytest.raises(ValueError, match=r"a camera stands 1\.00 m below the road"):
        render(SCENES[0], sunk)
