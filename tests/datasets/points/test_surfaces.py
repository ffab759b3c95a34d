"""Points lie on their surfaces, uniformly by area, and normals stand on them."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from efficientlab.datasets.points.surfaces import (
    Box,
    Ellipsoid,
    Frustum,
    Placed,
    Surface,
    Torus,
    rotation,
    sample_surfaces,
)

length = st.floats(0.1, 2.0)


def sampled(surface: Surface, n: int = 4000) -> tuple[np.ndarray, np.ndarray]:
    points, normals = surface.sample(n, np.random.default_rng(0))
    assert points.shape == normals.shape == (n, 3)
    assert np.linalg.norm(normals, axis=1) == pytest.approx(1)
    return points, normals


def flux(surface: Surface) -> float:
    """∮ x · n dA / 3, which is the volume inside a closed surface: area, points and normals must all agree."""
    points, normals = sampled(surface, 200_000)
    return float((points * normals).sum(1).mean() * surface.area / 3)


@pytest.mark.slow
@settings(deadline=None, max_examples=6)
@given(length, length, length)
def test_the_volume_inside_follows_from_points_normals_and_area(a: float, b: float, c: float) -> None:
    assert flux(Box(a, b, c)) == pytest.approx(a * b * c, rel=0.02)
    cone = math.pi * c * (a * a + a * b + b * b) / 3
    assert flux(Frustum(a, b, c)) == pytest.approx(cone, rel=0.03)
    ring, tube = a + b, b / 2
    assert flux(Torus(ring, tube)) == pytest.approx(2 * math.pi**2 * ring * tube**2, rel=0.1)


@pytest.mark.parametrize("axes", [(1, 1, 1), (0.5, 1, 1), (1, 0.3, 0.6)])
def test_an_ellipsoid_s_volume(axes: tuple[float, float, float]) -> None:
    volume = 4 / 3 * math.pi * math.prod(axes)
    assert flux(Ellipsoid(*axes)) == pytest.approx(volume, rel=0.02)  # its area is known within 1.1 %
    points, _ = sampled(Ellipsoid(*axes))
    assert ((points / axes) ** 2).sum(1) == pytest.approx(1)


def test_points_lie_on_their_surface() -> None:
    points, normals = sampled(Box(2, 4, 6))
    assert np.abs(points / [1, 2, 3]).max(1) == pytest.approx(1)
    assert (np.abs(normals) == 1).sum(1).tolist() == [1] * 4000
    points, normals = sampled(Frustum(1.0, 0.5, 2.0, closed=False))
    assert np.hypot(points[:, 0], points[:, 1]) == pytest.approx(0.75 - points[:, 2] / 4)
    assert normals[:, 2] == pytest.approx(0.5 / math.hypot(2, 0.5))
    points, normals = sampled(Torus(1.0, 0.2, math.pi))
    assert np.hypot(np.hypot(points[:, 0], points[:, 1]) - 1, points[:, 2]) == pytest.approx(0.2)
    assert points[:, 1].min() >= 0  # half a ring


def test_a_disc_and_a_tube() -> None:
    points, normals = sampled(Frustum(0.5, 0.0, 0.0, closed=False))
    assert points[:, 2] == pytest.approx(0)
    assert Frustum(0.5, 0.0, 0.0, closed=False).area == pytest.approx(math.pi / 4)
    assert np.median(np.hypot(points[:, 0], points[:, 1])) == pytest.approx(0.5 / math.sqrt(2), rel=0.03)
    assert normals.tolist() == [[0, 0, 1]] * 4000
    points, normals = sampled(Frustum(0.5, 0.5, 3.0, closed=False))
    assert points[:, 2].std() == pytest.approx(3 / math.sqrt(12), rel=0.03)
    assert normals[:, 2] == pytest.approx(0)


def test_a_cone_has_more_points_where_it_is_wide() -> None:
    points, _ = sampled(Frustum(1.0, 0.0, 1.0, closed=False), 50_000)
    assert (points[:, 2] < 0).mean() == pytest.approx(0.75, abs=0.01)


def test_rotation_is_counterclockwise() -> None:
    assert rotation("z", math.pi / 2) @ [1, 0, 0] == pytest.approx([0, 1, 0])
    assert rotation("x", math.pi / 2) @ [0, 1, 0] == pytest.approx([0, 0, 1])
    assert rotation("y", math.pi / 2) @ [0, 0, 1] == pytest.approx([1, 0, 0])


def test_points_are_shared_by_area_and_small_surfaces_get_some() -> None:
    placed = [
        Placed("large", Box(1, 1, 1), (5.0, 0.0, 0.0)),
        Placed("small", Box(0.01, 0.01, 0.01), (-5.0, 0.0, 0.0), rotation("z", 0.3)),
    ]
    rng = np.random.default_rng(0)
    points, _, surface = sample_surfaces(placed, 10_000, rng)
    assert (surface == 1).sum() < 10
    points, normals, surface = sample_surfaces(placed, 10_000, rng, least=0.1)
    assert (surface == 1).mean() == pytest.approx(0.1, abs=0.015)
    assert np.array_equal(points[:, 0] < 0, surface == 1)
    turned = normals[surface == 1] @ rotation("z", 0.3)
    assert np.abs(turned).max(1) == pytest.approx(1)
