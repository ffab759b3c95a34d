"""First hits and normals, against marching along signed distances."""

import numpy as np
import pytest
from distance import march, signed_distance

from efficientlab.datasets.streets.casting import GROUND, NOTHING, Hits, first_hits, normals
from efficientlab.datasets.streets.scene import draw_scene
from efficientlab.datasets.streets.solids import Part, Pose, Solids, solids

HERE = Pose(0.0, 0.0)


def directions(n: int, seed: int) -> np.ndarray:
    rays = np.random.default_rng(seed).standard_normal((n, 3)) * (1, 1, 0.25)
    return rays / np.linalg.norm(rays, axis=1, keepdims=True)


def one(*parts: Part) -> Solids:
    return solids(parts, HERE)


@pytest.mark.parametrize("seed", [0, 1])
def test_first_hits_are_those_of_marching(seed: int) -> None:
    scene = draw_scene(seed)
    origin = np.array([0.3, -0.1, 1.7])
    rays = directions(80, seed)
    hits = first_hits(scene.solids, origin, rays)
    agree = 0
    for ray, distance, solid in zip(rays, hits.distance, hits.solid, strict=True):
        expected, what = march(scene.solids, origin, ray, 80.0)
        if min(distance, expected) > 79.0:
            continue
        assert distance == pytest.approx(expected, abs=1e-2)  # marching stops early where a ray grazes
        agree += what == solid
    assert agree > 65  # of 80; where two solids touch either is right


@pytest.mark.parametrize("seed", [0, 1])
def test_normals_are_the_gradient_of_the_distance(seed: int) -> None:
    scene = draw_scene(seed)
    origin = np.array([0.0, 0.0, 1.5])
    rays = directions(400, seed)
    hits = first_hits(scene.solids, origin, rays)
    points = origin + np.where(np.isfinite(hits.distance), hits.distance, 0.0)[:, None] * rays
    found = normals(scene.solids, hits, points)
    assert np.array_equal(
        found[hits.solid == GROUND], np.tile([0.0, 0.0, 1.0], (sum(hits.solid == GROUND), 1))
    )
    assert not found[hits.solid == NOTHING].any()
    step = 1e-5
    checked = 0
    for at, solid, normal in zip(points, hits.solid, found, strict=True):
        if solid < 0:
            continue
        around = np.concatenate([at + step * np.eye(3), at - step * np.eye(3)])
        distance = signed_distance(scene.solids, around)[:, solid]
        gradient = (distance[:3] - distance[3:]) / (2 * step)
        if abs(np.linalg.norm(gradient) - 1) < 1e-3:  # not at an edge
            assert gradient == pytest.approx(normal, abs=1e-3)
            checked += 1
    assert checked > 100


def test_a_box_behind_the_seam_and_one_that_is_turned() -> None:
    """A box straight behind spans the azimuths on both sides of π."""
    behind = one(Part(Pose(-10.0, 0.0, 0.4), 1.0, (2.0, 4.0, 2.0), 2))
    angles = np.pi + np.array([-0.1, -1e-9, 0.0, 1e-9, 0.1])
    rays = np.stack([np.cos(angles), np.sin(angles), np.zeros(5)], 1)
    hits = first_hits(behind, np.array([0.0, 0.0, 1.0]), rays)
    assert hits.solid.tolist() == [0] * 5
    assert hits.distance[2] == pytest.approx(10 - 1 / np.cos(0.4), abs=1e-4)  # the face 1 m before the centre


def test_a_cylinder_is_hit_on_its_mantle_and_on_its_top() -> None:
    post = one(Part(Pose(5.0, 0.0), 0.5, (1.0, 1.0, 1.0), 4, round=True))
    rays = np.array([[1.0, 0.0, 0.0], [5.0, 0.0, -1.0], [1.0, 0.2, 0.0], [0.0, 0.0, -1.0]])
    from_low = first_hits(post, np.array([0.0, 0.0, 0.6]), rays)
    assert from_low.distance[0] == pytest.approx(4.5)
    assert from_low.solid.tolist() == [0, GROUND, NOTHING, GROUND]
    from_high = first_hits(post, np.array([0.0, 0.0, 2.0]), rays)
    assert from_high.distance[1] == pytest.approx(1.0)
    top = normals(post, Hits(from_high.distance[1:2], from_high.solid[1:2]), np.array([[5.0, 0.0, 1.0]]))
    assert top.tolist() == [[0.0, 0.0, 1.0]]


def test_the_nearest_of_several_is_hit_and_nothing_behind_the_sensor() -> None:
    row = one(*(Part(Pose(x, 0.0), 1.0, (1.0, 1.0, 2.0), 2) for x in (-4.0, 9.0, 4.0, 6.0)))
    hits = first_hits(row, np.array([0.0, 0.0, 1.0]), np.array([[1.0, 0.0, 0.0]]))
    assert hits.solid.tolist() == [2]
    assert hits.distance == pytest.approx([3.5])


def test_seen_from_above_a_solid_lies_on_all_sides() -> None:
    slab = one(Part(HERE, 0.1, (40.0, 40.0, 0.2), 1))
    rays = directions(100, 3)
    rays[:, 2] = -np.abs(rays[:, 2]) - 0.2
    assert (first_hits(slab, np.array([0.0, 0.0, 1.8]), rays).solid == 0).all()


def test_no_rays_and_no_solids() -> None:
    empty = one()
    rays = np.array([[0.0, 1.0, 0.0], [0.0, 1.0, -1.0]])
    assert first_hits(empty, np.array([0.0, 0.0, 2.0]), rays).solid.tolist() == [NOTHING, GROUND]
    assert len(first_hits(empty, np.zeros(3), np.empty((0, 3))).solid) == 0
