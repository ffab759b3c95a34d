"""The branches against what they are made of, and the network's properties: permutations, batches, missing sensors."""

import pytest
import torch
from torch import Tensor

from efficientlab.datasets.streets.labels import GRID
from efficientlab.datasets.streets.ragged import Ragged
from efficientlab.datasets.streets.views import Views, street_views
from efficientlab.kernels import BEVGrid, bev_index, bev_pool
from efficientlab.models.streets.bevfusion import SENSORS, BEVFusion
from efficientlab.models.streets.camera import CameraBranch
from efficientlab.models.streets.lidar import LidarBranch

VIEWS = street_views("val", 3, augment=True)


def ready(model: torch.nn.Module) -> torch.nn.Module:
    """In evaluation mode, with running statistics that are not those of a new layer."""
    torch.manual_seed(1)
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d | torch.nn.BatchNorm1d):
            module.running_mean = torch.rand_like(module.running_mean) - 0.5
            module.running_var = torch.rand_like(module.running_var) + 0.5
    return model.eval()


def changed(views: Views, **parts: Tensor | Ragged) -> Views:
    return Views(**{**vars(views), **parts})


@torch.no_grad()
def test_depths_add_up_to_one_and_the_pool_is_a_sum_over_cells() -> None:
    branch = ready(CameraBranch(4, GRID))
    depth, features = branch.lift(VIEWS)
    assert depth.shape == (3, 4, 24, 16, 48)
    assert features.shape == (3, 4, 4, 16, 48)
    assert torch.allclose(depth.sum(2), torch.ones(3, 4, 16, 48), atol=1e-5)
    points = branch.points(VIEWS)
    low, high = points.new_tensor([-16, -16, -2.0]), points.new_tensor([16, 16, 4.0])
    inside = ((points >= low) & (points < high)).all(-1)
    expected = torch.einsum("nmdhw,nmchw->nc", depth * inside, features)
    pooled = bev_pool(depth, features, bev_index(points, GRID))
    assert torch.allclose(pooled.sum((2, 3)), expected, rtol=1e-3, atol=1e-3)


@torch.no_grad()
def test_without_pictures_pixels_lie_on_the_road() -> None:
    """A new network whose last layer says nothing: the likeliest depth is the one at which a ray meets the road."""
    branch = ready(CameraBranch(1, GRID))
    for parameter in branch.head[1].parameters():
        parameter.zero_()
    likely, _ = branch.lift(VIEWS)
    places = branch.points(VIEWS).gather(
        2, likely.argmax(2)[:, :, None, ..., None].expand(-1, -1, -1, -1, -1, 3)
    )
    height, far = places[..., 2], likely.argmax(2)[:, :, None] == 23
    assert height[~far].abs().max() < 1.0  # half a step of depth, seen from a camera that looks down steeply
    assert (~far).float().mean() > 0.3
    assert (height[far] > -1.0).all()  # at the horizon and above


@torch.no_grad()
def test_cells_of_one_pixel_and_of_fifty_speak_equally_loudly() -> None:
    branch = CameraBranch(2, GRID).eval()
    branch.flat[0].weight.abs_()
    branch.flat[0].weight[:, -1] = 0.0  # apart from saying how many they are
    pooled = torch.rand(1, 2, 4, 4) + 0.5
    pooled = torch.cat([pooled, torch.ones(1, 1, 4, 4)], 1)
    one, fifty = branch.settle(pooled), branch.settle(50 * pooled)
    assert (one > 0).all()
    assert torch.allclose(one, fifty, rtol=0.15)
    assert not branch.settle(0 * pooled).any()  # a cell that no pixel reaches


@torch.no_grad()
def test_the_order_of_cameras_says_nothing() -> None:
    branch = ready(CameraBranch(4, GRID))
    order = torch.tensor([2, 0, 3, 1])
    other = changed(
        VIEWS, **{k: getattr(VIEWS, k)[:, order] for k in ("image", "intrinsics", "to_rig", "augment")}
    )
    assert torch.allclose(branch(other)[0], branch(VIEWS)[0], atol=1e-5)


@torch.no_grad()
def test_one_depth_lights_one_cell() -> None:
    """A pixel whose depth is certain puts its features into the cell at that place, worked out with the rig alone."""
    branch = CameraBranch(1, GRID)
    points = branch.points(VIEWS[:1])
    depth = torch.zeros(1, 4, 24, 16, 48)
    depth[0, 1, 6, 11, 24] = 1.0
    pooled = bev_pool(depth, torch.ones(1, 4, 1, 16, 48), bev_index(points, GRID))[0, 0]
    x, y, _ = points[0, 1, 6, 11, 24]
    assert pooled.sum() == 1
    assert pooled[int((x + 16) // 0.5), int((y + 16) // 0.5)] == 1
    assert y > 2  # the second camera looks to the left


@torch.no_grad()
def test_points_become_voxels_that_hold_their_means() -> None:
    branch = LidarBranch(4, BEVGrid((-2.0, 2.0, 0.5), (-1.0, 1.0, 0.5), (-2.0, 4.0)), z=(0.0, 4.0))
    rows = torch.tensor(
        [[0.1, 0.1, 0.3, 0], [0.2, 0.1, 0.4, 0], [-0.1, 0.1, 0.3, 0], [9.0, 0, 1, 0], [float("nan"), 0, 1, 0]]
    )
    voxels = branch.voxels(Ragged(rows, torch.tensor([0, 5])))
    assert voxels.coords.tolist() == [[1, 7, 4, 1], [1, 8, 4, 1]]
    assert torch.allclose(voxels.features[1], torch.tensor([0.1, -0.1, -0.1, 0.35, 1.0]), atol=1e-5)
    assert voxels.features[0, 0] == pytest.approx(0.1, abs=1e-5)  # −0.1 m is 0.6 of its voxel


@torch.no_grad()
def test_a_lidar_that_saw_nothing_in_one_street() -> None:
    model = ready(BEVFusion(("lidar",), 8))
    none = VIEWS.points.where(VIEWS.points.scene != 1)
    alone = model(changed(VIEWS, points=none))
    assert torch.allclose(alone.heat[0], model(VIEWS).heat[0], atol=1e-4)
    assert alone.heat[1].isfinite().all()


@torch.no_grad()
def test_streets_of_a_batch_do_not_touch() -> None:
    model = ready(BEVFusion(channels=8))
    together = model(VIEWS)
    for i in range(3):
        for whole, one in zip(together, model(VIEWS[i : i + 1]), strict=True):
            assert whole is not None and one is not None
            assert torch.allclose(whole[i], one[0], atol=1e-4)


@torch.no_grad()
def test_the_ground_turns_with_the_streets() -> None:
    """The camera's features of a turned street are the turned features, where no point moves between cells.

    Points at the border of two cells may; so almost all of the mass has to agree.
    """
    branch = ready(CameraBranch(2, GRID))
    depth, features = branch.lift(VIEWS)
    turned = VIEWS.turned(1, mirrored=True)
    expected = torch.rot90(
        bev_pool(depth, features, bev_index(branch.points(VIEWS), GRID)).flip(3), 1, (2, 3)
    )
    found = bev_pool(depth, features, bev_index(branch.points(turned), GRID))
    assert (found - expected).abs().sum() < 0.01 * expected.abs().sum()


@torch.no_grad()
def test_sensors_that_fail() -> None:
    model = ready(BEVFusion(channels=8))
    dark = changed(VIEWS, image=torch.zeros_like(VIEWS.image))
    assert torch.equal(model(dark, missing="camera").heat, model(VIEWS, missing="camera").heat)
    assert not torch.equal(model(VIEWS).heat, model(VIEWS, missing="camera").heat)
    other_order = ready(BEVFusion(("lidar", "camera"), channels=8))
    assert torch.equal(other_order(dark, missing="camera").heat, other_order(VIEWS, missing="camera").heat)
    (camera, lidar), _ = model.features(VIEWS, missing="lidar")
    assert camera.any()
    assert not lidar.any()
    assert SENSORS == ("camera", "lidar")


@pytest.mark.slow
def test_dropout_takes_one_sensor_at_a_time_and_in_training_alone() -> None:
    model = BEVFusion(channels=8, dropout=0.4)
    torch.manual_seed(0)
    fate = []
    for _ in range(12):
        (camera, lidar), _ = model.features(VIEWS)
        fate += [(bool(c.any()), bool(p.any())) for c, p in zip(camera, lidar, strict=True)]
    assert {(True, True), (True, False), (False, True)} == set(fate)
    with torch.no_grad():
        assert all(x.flatten(1).any(1).all() for x in model.eval().features(VIEWS)[0])
    with pytest.raises(ValueError, match=r"dropout 0\.1 cannot be had"):
        BEVFusion(("lidar",), dropout=0.1)
    for sensors in ((), ("lidar", "radar")):
        with pytest.raises(ValueError, match="sensors must be one or several of camera, lidar, got"):
            BEVFusion(sensors)


def test_all_weights_learn() -> None:
    model = BEVFusion(channels=8)
    outputs = model(VIEWS)
    assert outputs.depth is not None
    sum(o.square().mean() for o in outputs if o is not None).backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())
    shapes = [tuple(o.shape) for o in outputs if o is not None]
    assert shapes == [(3, 4, 64, 64), (3, 8, 64, 64), (3, 4, 64, 64), (3, 4, 24, 16, 48)]
