"""Point networks: shapes, what a permutation of the points does, and MACs counted by hand."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from efficientlab.counters import count
from efficientlab.models.points.pointnet import PointHead, PointNet, SetAbstraction, scaled, shared_mlp
from efficientlab.models.points.pvcnn import PVCNN, PVConv, VoxelCNN

NETWORKS = {
    "PointNet": lambda: PointNet(width=0.25),
    "voxel CNN": lambda: VoxelCNN(channels=4, resolution=8),
    "PVCNN": lambda: PVCNN(width=0.125, resolution=0.25),
    "PVCNN, voxels": lambda: PVCNN(width=0.125, resolution=0.25, block=only("voxels")),
    "PVCNN, points": lambda: PVCNN(width=0.125, resolution=0.25, block=only("points")),
}


def only(branches: str) -> object:
    return lambda i, o, r: PVConv(i, o, r, branches)


def cloud(n: int = 2, p: int = 50) -> tuple[Tensor, Tensor]:
    features = torch.randn(n, 6, p, generator=torch.Generator().manual_seed(0))
    return features, features[:, :3].contiguous()


def make(name: str) -> nn.Module:
    torch.manual_seed(0)
    return NETWORKS[name]().eval()


@pytest.mark.parametrize("name", NETWORKS)
def test_every_point_gets_logits_and_clouds_do_not_meet(name: str) -> None:
    net = make(name)
    features, points = cloud()
    with torch.no_grad():
        both, alone = net(features, points), net(features[1:], points[1:])
    assert both.shape == (2, 35, 50)
    assert torch.allclose(both[1:], alone, atol=1e-5)
    assert both.std() > 1e-3


@pytest.mark.parametrize("name", NETWORKS)
def test_a_permutation_of_the_points_permutes_the_logits(name: str) -> None:
    net = make(name)
    features, points = cloud()
    order = torch.randperm(50, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        straight = net(features, points)[:, :, order]
        permuted = net(features[:, :, order], points[:, :, order])
    assert torch.allclose(straight, permuted, atol=1e-5)


@pytest.mark.parametrize("name", NETWORKS)
def test_every_parameter_is_trained(name: str) -> None:
    net = make(name).train()
    net(*cloud()).square().mean().backward()
    idle = [key for key, p in net.named_parameters() if p.grad is None or not p.grad.any()]
    assert idle == []


def test_pointnet_s_macs_by_hand() -> None:
    p = 50
    own, trunk, last, head = 64 * 6 + 64 * 64, 128 * 64, 1024 * 128, (512, 256)
    per_point = own + trunk + last + head[0] * 64 + head[1] * head[0] + 35 * head[1]
    cost = count(PointNet().eval(), *cloud(2, p))
    assert cost.complete
    assert cost.macs == 2 * (p * per_point + 1024 * head[0])


def test_voxel_cnn_s_macs_by_hand() -> None:
    c, r, p = 4, 8, 50
    convolutions = sum(
        27 * (r >> i) ** 3 * (a * b + b * b) for i, (a, b) in enumerate([(6, c), (c, 2 * c), (2 * c, 4 * c)])
    )
    lifts = (r // 4) ** 3 * (4 * c) * (2 * c) + (r // 2) ** 3 * (2 * c) * c
    ends = r**3 * c * 35 + 6 * p + 8 * 35 * p  # the head, a sum into voxels, eight corners for each logit
    upsampled = 8 * ((r // 2) ** 3 * 2 * c + r**3 * c)  # eight neighbours of each voxel
    cost = count(VoxelCNN(channels=c, resolution=r).eval(), *cloud(1, p))
    assert cost.macs == convolutions + lifts + ends + upsampled


@pytest.mark.parametrize("branches", ["both", "voxels", "points"])
def test_pvconv_s_macs_by_hand(branches: str) -> None:
    i, o, r, p = 6, 8, 4, 50
    voxels = 27 * r**3 * (i * o + o * o) + i * p + 8 * o * p
    points = i * o * p
    expected = {"both": voxels + points, "voxels": voxels, "points": points}[branches]
    assert count(PVConv(i, o, r, branches).eval(), *cloud(1, p)).macs == expected


def test_pvconv_is_the_sum_of_its_branches() -> None:
    torch.manual_seed(0)
    both = PVConv(6, 8, 4).eval()
    parts = [PVConv(6, 8, 4, b).eval() for b in ("voxels", "points")]
    for part in parts:
        part.load_state_dict(both.state_dict(), strict=False)
    x = cloud()
    with torch.no_grad():
        assert torch.allclose(both(*x), parts[0](*x) + parts[1](*x), atol=1e-6)


def test_points_in_one_voxel_differ_only_through_the_point_branch() -> None:
    """Two close points in a large cloud: with R = 2 the voxel branch hardly tells them apart."""
    points = torch.cat([cloud(1, 60)[1], torch.full((1, 3, 2), 0.3)], 2)
    points[0, 0, -1] += 1e-4
    features = torch.randn(1, 6, 62)
    torch.manual_seed(0)
    with torch.no_grad():
        blind = PVConv(6, 8, 2, "voxels").eval()(features, points)
        sharp = PVConv(6, 8, 2).eval()(features, points)
    assert (blind[..., -1] - blind[..., -2]).abs().max() < 1e-3
    assert (sharp[..., -1] - sharp[..., -2]).abs().max() > 1e-2


def test_the_head_multiplies_the_concatenation() -> None:
    torch.manual_seed(0)
    head = PointHead(5, 7, (8, 4), 3).eval()
    own, whole = torch.randn(2, 5, 10), torch.randn(2, 7)
    joined = torch.cat([own, whole[:, :, None].expand(-1, -1, 10)], 1)
    weight = torch.cat([head.own.weight[:, :, 0], head.cloud.weight], 1)
    expected = head.rest(torch.relu(head.norm(torch.einsum("oc,ncp->nop", weight, joined))))
    assert torch.allclose(head(own, whole), expected, atol=1e-5)


def test_set_abstraction() -> None:
    torch.manual_seed(0)
    layer = SetAbstraction(6, (8, 16), centres=12, radius=0.8, neighbours=4).eval()
    features, points = cloud()
    with torch.no_grad():
        x, centres = layer(features, points)
        moved, _ = layer(features, points + 5.0)
    assert x.shape == (2, 16, 12)
    assert torch.equal(centres[:, :, 0], points[:, :, 0])  # sampling begins with the first point
    assert torch.allclose(x, moved, atol=1e-4)  # it sees places relative to the centres


def test_scaling() -> None:
    assert scaled((64, 128), 0.125) == (8, 16)
    assert scaled((4,), 0.01) == (1,)
    assert [m.weight.shape[:2] for m in shared_mlp(6, 8, 4) if isinstance(m, nn.Conv1d)] == [(8, 6), (4, 8)]
    with pytest.raises(ValueError, match="resolution must be a multiple of 4, got 6"):
        VoxelCNN(resolution=6)
