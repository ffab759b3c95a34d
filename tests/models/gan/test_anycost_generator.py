import re

import pytest
import torch
import torch.nn.functional as F

from efficientlab.models.gan.anycost.configs import (
    CHOICES,
    FULL,
    JUDGED,
    RATIOS,
    SIZES,
    UNIFORM,
    Config,
    all_configs,
    check_config,
    random_config,
    random_uniform,
    ratios_of,
    uniform,
)
from efficientlab.models.gan.anycost.discriminator import AnycostDiscriminator, Conditioning, batch_deviation
from efficientlab.models.gan.anycost.generator import LATENT, AnycostGenerator
from efficientlab.models.gan.anycost.modulated import modulated_conv
from efficientlab.models.gan.anycost.sorting import sort_channels


def generator(seed: int = 0) -> AnycostGenerator:
    torch.manual_seed(seed)
    return AnycostGenerator().eval()


def latents(n: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(n, LATENT, generator=torch.Generator().manual_seed(seed))


def test_modulated_conv_is_a_convolution_with_each_pictures_own_weight():
    torch.manual_seed(0)
    x, weight, style = (torch.randn(s, dtype=torch.float64) for s in ((3, 5, 6, 4), (7, 5, 3, 3), (3, 5)))
    y = modulated_conv(x, weight, style, 7)
    for n in range(3):
        own = weight * style[n][None, :, None, None]
        own = own / (own.square().sum((1, 2, 3), keepdim=True) + 1e-8).sqrt()
        torch.testing.assert_close(y[n], F.conv2d(x[n : n + 1], own, padding=1)[0])


def test_what_is_demodulated_is_the_slice():
    torch.manual_seed(0)
    weight, style = torch.randn(64, 64, 3, 3), torch.randn(8, 64)
    for channels in (64, 32, 8):
        x = torch.randn(8, channels, 16, 16)
        y = modulated_conv(x, weight, style, 40)
        assert y.shape == (8, 40, 16, 16)
        assert y[..., 1:-1, 1:-1].std().item() == pytest.approx(1, abs=0.05)


def test_an_early_exit_is_the_full_passes_picture_bit_by_bit():
    g, w = generator(), generator().mapping(latents(3))
    for config in (FULL, UNIFORM[0], Config(96, 64, 128, 32, 8)):
        full = g.pictures(w, config)
        assert list(full) == list(SIZES)
        for size in SIZES:
            early = g.synthesise(w, config, size)
            assert early.shape == (3, 3, size, size)
            assert torch.equal(early, full[size])


def test_a_narrow_layer_does_not_read_beyond_its_slice():
    g, z = generator(), latents(2)
    before = g(z, UNIFORM[0])
    with torch.no_grad():
        for (i, o), conv, paint in zip(
            zip(UNIFORM[0], UNIFORM[0][1:], strict=False), g.convs, g.paint, strict=True
        ):
            conv.weight[o:] = torch.nan
            conv.weight[:, i:] = torch.nan
            conv.bias[o:] = torch.nan
            paint.weight[:, o:] = torch.nan
        g.const[:, UNIFORM[0].const :] = torch.nan
    assert torch.equal(g(z, UNIFORM[0]), before)


def test_pictures_do_not_depend_on_the_batch():
    g, z = generator(), latents(5)
    torch.testing.assert_close(g(z)[3:4], g(z[3:4]), rtol=1e-4, atol=1e-5)


def test_a_row_of_w_for_each_size():
    g = generator()
    w = g.mapping(latents(2))
    rows = w[:, None].repeat(1, len(SIZES), 1)
    assert torch.equal(g.synthesise(rows), g.synthesise(w))
    rows[:, -1] += 1
    assert torch.equal(g.synthesise(rows, size=16), g.synthesise(w, size=16))
    assert not torch.equal(g.synthesise(rows), g.synthesise(w))


def test_sorting_changes_no_picture_and_orders_what_is_read():
    g, z = generator(), latents(16)
    sorted_g = sort_channels(g, latents(200, 1))
    for size in SIZES:
        torch.testing.assert_close(sorted_g(z, size=size), g(z, size=size), rtol=1e-4, atol=1e-4)
    assert not torch.equal(sorted_g.const, g.const)
    assert not torch.equal(sorted_g(z, UNIFORM[1]), g(z, UNIFORM[1]))
    again = sort_channels(sorted_g, latents(200, 1))
    for one, two in zip(again.state_dict().values(), sorted_g.state_dict().values(), strict=True):
        assert torch.equal(one, two)


def test_configurations():
    assert tuple(FULL) == (128, 128, 128, 64, 32)
    assert [tuple(c) for c in UNIFORM] == [
        (64, 64, 32, 16, 8),
        (128, 128, 64, 32, 16),
        (128, 128, 96, 48, 24),
        (128, 128, 128, 64, 32),
    ]
    assert CHOICES == ((64, 96, 128), (64, 96, 128), (32, 64, 96, 128), (16, 32, 48, 64), (8, 16, 24, 32))
    every = list(all_configs())
    assert len(every) == len(set(every)) == 576
    assert set(UNIFORM) <= set(every)
    rng = torch.Generator().manual_seed(0)
    assert {random_uniform(rng) for _ in range(100)} == set(UNIFORM)
    drawn = {random_config(rng) for _ in range(200)}
    assert drawn <= set(every) and len(drawn) > 100
    assert str(uniform(0.5)) == "128-128-64-32-16"
    codes = torch.stack([ratios_of(c) for c in every])
    assert codes.shape == (576, 5) and len(codes.unique(dim=0)) == 576
    assert codes.max() == len(RATIOS) - 1 and ratios_of(UNIFORM[0]).tolist() == [1, 1, 0, 0, 0]


@pytest.mark.parametrize(
    ("config", "size", "words"),
    [
        ((128, 128), 32, "a configuration has 5 widths (const, c4, c8, c16, c32), got 2"),
        (Config(128, 128, 128, 64, 33), 32, "c32 = 33 is outside of the generator's 1 to 32"),
        (Config(128, 0, 128, 64, 32), 32, "c4 = 0 is outside of the generator's 1 to 128"),
        (FULL, 24, "size 24 is none of the generator's 4, 8, 16, 32"),
        (FULL, 64, "size 64 is none of"),
    ],
)
def test_what_is_no_sub_generator_gets_a_sentence(config, size, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        check_config(config, size)
    with pytest.raises(ValueError, match=re.escape(words)):
        generator()(latents(1), config, size)


def test_the_discriminator_takes_each_size_by_its_own_way():
    torch.manual_seed(0)
    d = AnycostDiscriminator()
    for size in JUDGED:
        d.zero_grad()
        score = d(torch.randn(8, 3, size, size))
        assert score.shape == (8,)
        score.sum().backward()
        entered = [s for s, layer in d.enter.items() if layer.weight.grad is not None]
        assert entered == [str(size)]
    with pytest.raises(ValueError, match="32, 16 or 8 pixels a side, got 4"):
        d(torch.randn(4, 3, 4, 4))


def test_conditioning_begins_neutral_and_tells_configurations_apart():
    torch.manual_seed(0)
    d, x = AnycostDiscriminator(), torch.randn(8, 3, 32, 32)
    a, b = (ratios_of(c).expand(8, -1) for c in (FULL, UNIFORM[0]))
    assert torch.equal(d(x, a), d(x))
    with torch.no_grad():
        for condition in d.conditions:
            assert isinstance(condition, Conditioning)
            condition.scale.weight.normal_(0, 0.3)
    assert not torch.equal(d(x, a), d(x, b))


def test_the_deviation_of_a_batch():
    x = torch.zeros(8, 2, 2, 2)
    assert batch_deviation(x).shape == (8, 1, 2, 2)
    assert batch_deviation(x).max() < 1e-3
    x[4:] = 2  # of each group of four, two differ
    torch.testing.assert_close(batch_deviation(x), torch.ones(8, 1, 2, 2))
    assert batch_deviation(torch.randn(3, 2, 2, 2)).shape == (3, 1, 2, 2)
