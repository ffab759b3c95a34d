"""The conditional generators and the discriminator: shapes, costs by hand, and what a score sees."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from efficientlab.counters import measure
from efficientlab.models.gan.pix2pix import (
    TAPS,
    TEACHER,
    Config,
    InstanceNorm,
    PatchDiscriminator,
    ResNetGenerator,
    uniform,
)

SMALL = Config(3, 5, 7, 4, 6, 2, 5, 3)


@pytest.mark.parametrize("separable", [(), ("blocks",), ("down", "blocks", "up")])
def test_shapes(separable: tuple[str, ...]) -> None:
    image, features = ResNetGenerator(SMALL, separable).with_features(torch.randn(2, 1, 16, 24))
    assert image.shape == (2, 1, 16, 24)
    assert image.abs().max() <= 1
    assert [f.shape for f in features] == [(2, 7, 4, 6)] * len(TAPS)


def test_colour_costs_two_more_heads() -> None:
    x = torch.zeros(2, 1, 16, 24)
    grey, colour = (ResNetGenerator(SMALL, out_channels=n) for n in (1, 3))
    assert colour(x).shape == (2, 3, 16, 24)
    head = 9 * SMALL.up2 * 1 * 16 * 24
    assert measure(colour, x[:1], time=False).macs - measure(grey, x[:1], time=False).macs == 2 * head
    scores = PatchDiscriminator(picture_channels=3)(x, torch.zeros(2, 3, 16, 24))
    assert scores.shape == (2, 1, 4, 6)


def test_forward_is_the_picture_of_with_features() -> None:
    net, x = ResNetGenerator(SMALL), torch.randn(1, 1, 8, 8)
    assert torch.equal(net(x), net.with_features(x)[0])


def test_the_teachers_macs_by_hand() -> None:
    ends = 2 * 9 * 24 * 32**2
    steps = 2 * 9 * 24 * 48 * 16**2 + 2 * 9 * 48 * 96 * 8**2  # transposed ones at the size of their input
    blocks = 12 * 9 * 96**2 * 8**2
    cost = measure(ResNetGenerator(), torch.zeros(1, 1, 32, 32), time=False)
    assert cost.macs == ends + steps + blocks == 74_760_192
    assert cost.complete


@pytest.mark.parametrize(
    ("separable", "macs"),
    [
        ((), 29_306_880),
        (("blocks",), 29_306_880 - 12 * 64 * (9 * 60**2 - 60**2 - 9 * 60)),
    ],
)
def test_what_separable_blocks_save(separable: tuple[str, ...], macs: int) -> None:
    cost = measure(ResNetGenerator(uniform(15), separable), torch.zeros(1, 1, 32, 32), time=False)
    assert cost.macs == macs


def test_unknown_parts_are_named() -> None:
    with pytest.raises(
        ValueError, match=r"unknown parts \['head'\]; separable takes 'down', 'blocks' and 'up'"
    ):
        ResNetGenerator(SMALL, ("head",))


def test_instance_norm_is_torchs() -> None:
    ours, theirs = InstanceNorm(5), nn.InstanceNorm2d(5, affine=True)
    for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
        nn.init.normal_(p)
        q.data.copy_(p.data)
    x = 3 * torch.randn(2, 5, 4, 6) + 1
    torch.testing.assert_close(ours(x), theirs(x), rtol=1e-4, atol=1e-5)


def test_a_score_sees_a_patch() -> None:
    net = PatchDiscriminator(4)
    for name, module in list(net.net.named_children()):
        if isinstance(module, InstanceNorm):  # which looks at the whole picture
            net.net[int(name)] = nn.Identity()
    picture = torch.randn(1, 1, 32, 32, requires_grad=True)
    scores = net(torch.randn(1, 1, 32, 32), picture)
    assert scores.shape == (1, 1, 8, 8)
    scores[0, 0, 4, 4].backward()
    assert picture.grad is not None
    rows = picture.grad[0, 0].abs().sum(1).nonzero().flatten()
    assert rows.max() - rows.min() + 1 == 18


def test_the_discriminator_reads_both_pictures() -> None:
    net, a, b = PatchDiscriminator(4), torch.randn(1, 1, 16, 16), torch.randn(1, 1, 16, 16)
    assert not torch.allclose(net(a, b), net(b, a))


def test_configurations_read_as_text() -> None:
    assert str(TEACHER) == "24-48-96-96-96-96-48-24"
    assert uniform(24) == TEACHER
