"""The super student: every configuration is a slice, and extraction is exact."""

from __future__ import annotations

from collections import Counter

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from efficientlab.models.gan.pix2pix import Config, ResNetGenerator, uniform
from efficientlab.models.gan.super_student import (
    CHOICES,
    WIDTHS,
    SuperStudent,
    extract,
    random_config,
)


@pytest.fixture(scope="module")
def student() -> SuperStudent:
    torch.manual_seed(0)
    return SuperStudent().double().eval()


@settings(deadline=None, max_examples=10)
@given(st.integers(0, 2**31))
def test_an_extracted_network_is_the_sliced_one(student: SuperStudent, seed: int) -> None:
    rng = torch.Generator().manual_seed(seed)
    config = random_config(rng)
    alone = extract(student, config).double()
    x = torch.randn(2, 1, 16, 16, generator=rng, dtype=torch.float64)
    with torch.no_grad():
        torch.testing.assert_close(alone(x), student.configure(config)(x), rtol=0, atol=1e-6)
    assert alone.config == config
    assert not alone.training


def test_at_its_widest_it_is_a_plain_generator(student: SuperStudent) -> None:
    plain = ResNetGenerator(uniform(24), ("blocks",)).double()
    plain.load_state_dict(student.state_dict())
    x = torch.randn(1, 1, 8, 8, dtype=torch.float64)
    with torch.no_grad():
        torch.testing.assert_close(student.configure(uniform(24))(x), plain(x))


def test_only_the_slice_learns() -> None:
    student = SuperStudent().configure(uniform(8))
    student(torch.randn(1, 1, 8, 8)).sum().backward()
    weight = student.up1[0].weight
    assert weight.grad is not None
    assert weight.grad[:32, :16].abs().sum() > 0, "a transposed convolution's weight is (in, out, k, k)"
    assert weight.grad[32:].abs().sum() == 0
    assert weight.grad[:, 16:].abs().sum() == 0


def test_extraction_shares_no_memory(student: SuperStudent) -> None:
    before = student.stem[0].weight.detach().clone()
    with torch.no_grad():
        extract(student, uniform(8)).stem[0].weight.add_(1)
    assert torch.equal(student.stem[0].weight, before)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (uniform(8)._replace(up1=49), "up1 = 49 is outside of the super student's 1 to 48"),
        (uniform(8)._replace(stem=0), "stem = 0 is outside of the super student's 1 to 24"),
    ],
)
def test_a_configuration_that_does_not_fit_is_named(
    student: SuperStudent, config: Config, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        student.configure(config)


def test_random_configurations_are_uniform_over_the_choices() -> None:
    rng = torch.Generator().manual_seed(0)
    drawn = [random_config(rng) for _ in range(2000)]
    for layer, widths in enumerate(CHOICES):
        counts = Counter(config[layer] for config in drawn)
        assert set(counts) == set(widths)
        assert all(abs(count - 400) < 4 * (2000 * 0.2 * 0.8) ** 0.5 for count in counts.values())
    assert len(WIDTHS) ** len(CHOICES) == 390_625
