"""SPVCNN and its voxel network: shapes, batches, order, costs, and what a super-network's part computes."""

import pytest
import torch
from torch.func import functional_call

from efficientlab.counters import count
from efficientlab.datasets.streets.clouds import street_clouds
from efficientlab.models.streets.costs import geometry, spvcnn_macs
from efficientlab.models.streets.sparse_unet import WIDTHS, SparseUNet, Widths
from efficientlab.models.streets.spvcnn import SPVCNN
from efficientlab.models.streets.super_network import (
    SPACE,
    UNIFORM,
    WIDEST,
    cut,
    extract,
    load_super_network,
    network,
    run_cut,
    slice_joined,
)

NARROW = Widths(10, 12, 20, 20, 8, 2, 1, 1, 2)


@pytest.fixture(scope="module")
def scans():
    return street_clouds("val", 2, points=300)


@pytest.fixture(params=[SPVCNN, SparseUNet])
def model(request):
    torch.manual_seed(0)
    return request.param(3, 5, 0.5).eval().double()


def test_scans_of_a_batch_do_not_meet(model, scans):
    points = scans.points.double()
    together = model(points, points)
    assert together.shape == (2, 5, 300)
    for i in range(2):
        torch.testing.assert_close(together[i : i + 1], model(points[i : i + 1], points[i : i + 1]))


def test_the_order_of_points_does_not_matter(model, scans):
    points = scans.points[:1].double()
    order = torch.randperm(300, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(
        model(points[:, :, order], points[:, :, order]), model(points, points)[:, :, order]
    )


def test_shifting_by_whole_coarse_voxels_shifts_everything(model, scans):
    points = scans.points[:1].double()
    moved = points + 2.0 * torch.tensor([3.0, -5.0, 1.0]).view(1, 3, 1)  # four voxels of half a metre
    torch.testing.assert_close(model(points, moved), model(points, points))


def test_one_point_and_far_points(model):
    assert model(torch.ones(1, 3, 1).double(), torch.full((1, 3, 1), -1e5).double()).isfinite().all()


def test_all_parameters_learn(scans):
    for net in (SPVCNN(3, 5, 0.5), SparseUNet(3, 5, 0.5)):
        net(scans.points, scans.points).square().sum().backward()
        assert all(p.grad is not None and p.grad.isfinite().all() for p in net.parameters())


def test_without_points_all_points_of_a_voxel_are_alike(scans):
    net, points = SparseUNet(3, 5, 4.0).eval(), scans.points[:1]
    cells = (points / 4.0).floor()[0].T
    row = cells.unique(dim=0, return_inverse=True)[1]
    logits = net(points, points)[0]
    for v in range(5):
        mine = logits[:, row == v]
        torch.testing.assert_close(mine, mine[:, :1].expand_as(mine))


@pytest.mark.parametrize("config", [WIDTHS, WIDEST, NARROW])
def test_macs_in_closed_form_are_those_counted(config, scans):
    net = network(3, 5, 0.5, config).eval()
    assert count(net, scans.points, scans.points).macs == spvcnn_macs(
        geometry(scans.points, 0.5), config, 3, 5
    )


# the super-network


def test_the_widest_part_is_the_whole(scans):
    torch.manual_seed(0)
    whole = network(3, 5, 0.5).eval()
    alone = extract(whole, network(3, 5, 0.5), WIDEST).eval()
    torch.testing.assert_close(alone(scans.points, scans.points), whole(scans.points, scans.points))


def test_a_part_is_what_is_left_when_the_other_channels_are_silent(scans):
    """Zero what a narrow network does not have, and the super-network of its depth computes its sums."""
    torch.manual_seed(0)
    whole = network(3, 5, 0.5).eval()
    config = NARROW._replace(blocks_down1=2, blocks_down2=2, blocks_up1=2, blocks_up2=2)
    narrow = network(3, 5, 0.5, config).eval()
    parts = cut(whole.state_dict(), narrow, config)
    silent = {name: torch.zeros_like(p) for name, p in whole.state_dict().items()}
    for name, part in parts.items():
        place = silent[name]
        if place.shape == part.shape:
            silent[name] = part.clone()
            continue
        c_out = part.shape[-1] if part.ndim == 3 else part.shape[0]
        if "blocks.0.first.conv" in name and name.startswith("up"):
            up, most = (config.up1, WIDEST.up1) if name.startswith("up1") else (config.up2, WIDEST.up2)
            place[:, :up, :c_out] = part[:, :up]
            place[:, most : most + part.shape[1] - up, :c_out] = part[:, up:]
        elif "shortcut" in name:
            up, most = (config.up1, WIDEST.up1) if name.startswith("up1") else (config.up2, WIDEST.up2)
            place[:c_out, :up] = part[:, :up]
            place[:c_out, most : most + part.shape[1] - up] = part[:, up:]
        else:
            place[tuple(slice(n) for n in part.shape)] = part
        if name.endswith("running_var"):
            place[len(part) :] = 1.0
    narrow.load_state_dict(parts)
    expected = functional_call(whole, silent, (scans.points, scans.points))
    torch.testing.assert_close(narrow(scans.points, scans.points), expected, rtol=1e-4, atol=1e-4)


def test_what_a_part_learns_comes_back(scans):
    whole = network(3, 5, 0.5)
    narrow = network(3, 5, 0.5, NARROW)
    run_cut(whole, narrow, NARROW, scans.points, scans.points).square().sum().backward()
    assert all(p.grad is None for p in narrow.parameters())
    weight = whole.up1.blocks[0].first.conv.weight.grad
    up, skip = NARROW.up1, NARROW.down1
    assert weight[:, :up, :up].any()
    assert weight[:, WIDEST.up1 : WIDEST.up1 + skip, :up].any()
    assert not weight[:, up : WIDEST.up1].any()
    assert not weight[:, WIDEST.up1 + skip :].any()


def test_a_part_that_stands_alone_shares_no_memory():
    whole = network(3, 5, 0.5)
    before = whole.head.weight.clone()
    alone = extract(whole, network(3, 5, 0.5, NARROW), NARROW)
    with torch.no_grad():
        alone.head.weight.add_(1)
    assert torch.equal(whole.head.weight, before)


def test_a_part_wider_than_the_whole_is_refused():
    config = WIDEST._replace(up1=40)
    with pytest.raises(ValueError, match="up1 = 40 is outside of the super-network's 1 to 32"):
        cut(network(3, 5, 0.5).state_dict(), network(3, 5, 0.5, config), config)


def test_two_ranges():
    weight = torch.arange(6.0).view(1, 6, 1)  # up to four from below, two from the skip
    assert slice_joined(weight, 2, 1, 4, 1).flatten().tolist() == [0, 1, 4]


def test_the_space_holds_the_uniform_ones():
    assert all(width in choices for config in UNIFORM for width, choices in zip(config, SPACE, strict=True))


def test_the_shipped_one_labels_streets():
    from efficientlab.datasets.streets.things import LABELS
    from efficientlab.training.points.segment import predict
    from efficientlab.training.streets.miou import class_score

    val = street_clouds("val", 4)
    whole = load_super_network(3, len(LABELS), 0.4)
    assert class_score(predict(whole, val), val.part, len(LABELS)).accuracy > 0.85
