"""Generated part segmentation: labelled, normalised, seeded, and with small parts in every cloud."""

import pytest
import torch

from efficientlab.datasets.points import parts
from efficientlab.datasets.points.clouds import PartNames
from efficientlab.datasets.points.parts import NOISE, PART_NAMES, part_clouds
from efficientlab.datasets.points.shapes import PARTS, SHAPES

CLOUDS = part_clouds("train", 80, points=512)


def test_there_are_enough_categories_and_parts() -> None:
    assert len(PART_NAMES.categories) == 8
    assert len(PART_NAMES.names) == 35
    assert tuple(SHAPES) == tuple(PARTS)


def test_shapes_and_types() -> None:
    assert CLOUDS.points.shape == CLOUDS.extra.shape == (80, 3, 512)
    assert CLOUDS.features.shape == (80, 6, 512)
    assert (CLOUDS.points.dtype, CLOUDS.part.dtype) == (torch.float32, torch.int64)
    assert CLOUDS.category.tolist() == [*range(8)] * 10


def test_a_cloud_fills_the_unit_ball_about_its_mean() -> None:
    assert torch.allclose(CLOUDS.points.norm(dim=1).amax(1), torch.ones(80), atol=5 * NOISE)
    assert CLOUDS.points.mean(2).abs().max() < 5 * NOISE
    assert torch.allclose(CLOUDS.extra.norm(dim=1), torch.ones(80, 512), atol=1e-5)


def test_every_label_belongs_to_the_category() -> None:
    assert PART_NAMES.mask()[CLOUDS.category[:, None], CLOUDS.part].all()


def test_every_part_occurs_and_obligatory_ones_in_every_cloud() -> None:
    counts = torch.nn.functional.one_hot(CLOUDS.part, 35).sum(1)  # (N, parts)
    assert (counts.sum(0) > 0).all()
    optional = PART_NAMES.label("chair", "armrest")
    belongs = PART_NAMES.mask()[CLOUDS.category]
    belongs[:, optional] = False
    assert (counts[belongs] > 0).float().mean() > 0.995  # the smallest have 6 of 512 points in the mean
    assert (counts[CLOUDS.category == 2, optional] == 0).any()


def test_normals_stand_on_the_surface(monkeypatch: pytest.MonkeyPatch) -> None:
    """Across a plane its points hardly spread: the desk of a laptop, along its commonest normal."""
    monkeypatch.setattr(parts, "NORMAL_NOISE", 0.0)
    cloud = part_clouds("train", 6, points=4096)[5]
    desk = cloud.part == PART_NAMES.label("laptop", "keyboard")
    x, normal = cloud.points[:, desk], cloud.extra[:, desk]
    up = normal[2] > 0.99
    assert up.float().mean() > 0.3
    assert x[2, up].std() < 2 * NOISE < x[0, up].std() / 10


def test_normals_are_off_by_what_the_documentation_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """A normal n + 0.15 e has the tangent of its angle distributed as 0.15 times a vector of two normals, nearly."""
    monkeypatch.setattr(parts, "NORMAL_NOISE", 0.0)
    exact = part_clouds("train", 80, points=512).extra
    angle = (exact * CLOUDS.extra).sum(1).clamp(-1, 1).acos()  # (N, P)
    assert angle.square().mean().sqrt().rad2deg().item() == pytest.approx(12.2, abs=0.2)


def test_a_seed_and_a_split_draw_the_same_clouds_again_and_others_differ() -> None:
    again = part_clouds("train", 80, points=512)
    assert all(
        torch.equal(getattr(again, k), getattr(CLOUDS, k)) for k in ("points", "extra", "part", "category")
    )
    assert torch.equal(part_clouds("train", 9, points=512).points, CLOUDS.points[:9])
    for other in (part_clouds("test", 9, points=512), part_clouds("train", 9, points=512, seed=1)):
        assert not torch.equal(other.points, CLOUDS.points[:9])


def test_the_order_of_points_says_nothing() -> None:
    early, late = CLOUDS.part[:, :256].double().mean(), CLOUDS.part[:, 256:].double().mean()
    assert abs(early - late) < 0.5


def test_indexing_and_names() -> None:
    some = CLOUDS[torch.tensor([3, 1])]
    assert len(some) == 2
    assert some.category.tolist() == [3, 1]
    assert torch.equal(some.features[0, :3], CLOUDS.points[3])
    assert some.to("meta").part.device.type == "meta"
    names = PartNames({"a": ("x", "y"), "b": ("x",)})
    assert names.names == ("a x", "a y", "b x")
    assert names.label("b", "x") == 2
    assert names.mask().tolist() == [[True, True, False], [False, False, True]]


def test_wrong_arguments_are_named() -> None:
    with pytest.raises(ValueError, match="split must be one of train, val, test; got 'dev'"):
        part_clouds("dev", 8)
    with pytest.raises(ValueError, match="must be positive; got 0 and 1024"):
        part_clouds("train", 0)
