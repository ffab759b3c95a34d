"""Where pixels lie in space: the inverse of how cameras see, with every matrix in its place."""

import numpy as np
import pytest
import torch

from efficientlab.datasets.streets.cameras import draw_augment, rig
from efficientlab.models.streets.geometry import feature_pixels, lifted_points, rays

RIG = rig().augmented(draw_augment(rig(), np.random.default_rng(0)))
K, TO_RIG, A = (
    torch.from_numpy(m)[None].double() for m in (RIG.intrinsics, RIG.to_rig, RIG.augment)
)  # (1, M, …)


def test_projecting_a_lifted_point_gives_its_pixel_and_depth() -> None:
    pixels = feature_pixels(8, 24, 4).double()
    depths = torch.tensor([1.0, 2.5, 9.0], dtype=torch.float64)
    points = lifted_points(rays(pixels, K, TO_RIG, A), TO_RIG, depths)  # (1, M, D, H, W, 3)
    assert points.shape == (1, 4, 3, 8, 24, 3)
    for m in range(4):
        for d, depth in enumerate(depths):
            seen = RIG.project(points[0, m, d].reshape(-1, 3).numpy())[m]
            assert seen[:, :2] == pytest.approx(pixels.reshape(-1, 3)[:, :2].numpy(), abs=1e-8)
            assert seen[:, 2] == pytest.approx(depth.item())


def test_the_rays_of_all_pixels_are_those_that_pictures_are_cast_by() -> None:
    _, expected = RIG.rays()
    assert rays(feature_pixels(32, 96, 1).double(), K, TO_RIG, A)[0].numpy() == pytest.approx(expected)


def test_a_cell_of_a_feature_map_stands_at_the_middle_of_its_pixels() -> None:
    pixels = feature_pixels(2, 3, 4)
    assert pixels[0, 0].tolist() == [1.5, 1.5, 1.0]
    assert pixels[1, 2].tolist() == [9.5, 5.5, 1.0]


def test_a_singular_matrix_is_named() -> None:
    with pytest.raises(ValueError, match="intrinsics or augment holds a matrix that cannot be inverted"):
        rays(
            feature_pixels(2, 2, 1),
            torch.zeros(1, 1, 3, 3),
            torch.eye(4)[None, None],
            torch.eye(3)[None, None],
        )
