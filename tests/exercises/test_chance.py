"""Judges of random procedures: their limits are what they say, and they see what they should."""

import math

import pytest
import torch

from efficientlab.exercises.chance import ALARM, dependent, mean_limit, not_uniform, uneven, uniform_moments


@pytest.mark.parametrize(("draws", "probability"), [(2000, 0.2), (2000, 1 / 3), (500, 0.5)])
def test_the_limit_of_a_share_is_passed_as_rarely_as_the_binomial_says(draws, probability):
    """The exact tails beyond Bernstein's limit, both together, are below the alarm."""
    limit = mean_limit(draws, probability * (1 - probability), 1.0)

    def log_term(k):
        return (
            math.lgamma(draws + 1)
            - math.lgamma(k + 1)
            - math.lgamma(draws - k + 1)
            + k * math.log(probability)
            + (draws - k) * math.log(1 - probability)
        )

    beyond = (k for k in range(draws + 1) if abs(k / draws - probability) > limit)
    assert 0 < sum(math.exp(log_term(k)) for k in beyond) <= ALARM


def test_the_limit_grows_with_the_number_of_tests():
    assert mean_limit(1000, 0.25, 1.0, tests=20) > mean_limit(1000, 0.25, 1.0)


@pytest.mark.parametrize("seed", range(5))
def test_even_and_independent_draws_pass(seed):
    rng = torch.Generator().manual_seed(seed)
    index = torch.randint(5, (2, 1000), generator=rng)
    assert not uneven(torch.bincount(index[0], minlength=5))
    assert not dependent(index.double(), *uniform_moments(5))
    assert not not_uniform(torch.rand(800, generator=rng), 0, 1)


@pytest.mark.parametrize("seed", range(5))
def test_slips_of_drawing_are_seen(seed):
    rng = torch.Generator().manual_seed(seed)
    rounded = (4 * torch.rand(1000, generator=rng)).round().long()  # the ends half as often
    assert uneven(torch.bincount(rounded, minlength=5))
    assert not_uniform(0.1 + 0.8 * torch.rand(800, generator=rng), 0, 1)
    assert not_uniform((torch.rand(800, generator=rng) + torch.rand(800, generator=rng)) / 2, 0, 1)
    row = torch.randint(5, (1000,), generator=rng).double()
    other = torch.where(torch.rand(1000, generator=rng) < 0.5, row, torch.randint(5, (1000,), generator=rng))
    assert dependent(torch.stack([row, other]), *uniform_moments(5))
