"""Sums of bags against float64, however many rows a bag has."""

import pytest
import torch

from efficientlab.kernels import BEVGrid, bev_index, bev_pool
from efficientlab.kernels.gather import ends_of, sum_bags, weighted_scatter

ROUNDING = 256 * 2**-24  # relative, of 256 float32 numbers that are added one after the other
SIZES = [0, 3, 255, 0, 256, 257, 1, 512, 70_000, 0]  # also empty ones, also of more than 256 pieces


@pytest.mark.parametrize("weighted", [False, True])
def test_long_bags_err_by_few_roundings(weighted):
    generator = torch.Generator().manual_seed(0)
    counts = torch.tensor(SIZES)
    total = int(counts.sum())
    x = torch.rand(1000, 3, generator=generator) + 5
    index = torch.randint(1000, (total,), generator=generator, dtype=torch.int32)
    weight = torch.rand(total, generator=generator) if weighted else None
    rows = x.double()[index] * (1.0 if weight is None else weight.double()[:, None])
    exact = torch.stack([part.sum(0) for part in rows.split(SIZES)])
    got = sum_bags(x, index, ends_of(counts), weight)
    assert (got[counts == 0] == 0).all()
    assert torch.allclose(got.double(), exact, rtol=ROUNDING, atol=0)


def test_a_million_like_points_in_one_cell():
    """One after the other, 10⁶ float32 products of 0.1 come out a percent too large."""
    n = 10**6
    points = torch.full((1, 1, 100, 100, 100, 3), 0.5)
    index = bev_index(points, BEVGrid((0, 2, 1), (0, 1, 1), (0, 1)))
    features = torch.ones(1, 1, 2, 100, 100)
    pooled = bev_pool(torch.full((1, 1, 100, 100, 100), 0.1), features, index)
    assert torch.allclose(pooled[0, :, :, 0], torch.tensor([[0.1 * n, 0]] * 2), rtol=ROUNDING, atol=0)
    ones = torch.zeros(n, 1, dtype=torch.int32)
    total = weighted_scatter(torch.full((n, 2), 0.1), ones, None, 1)
    assert torch.allclose(total, torch.full((1, 2), 0.1 * n), rtol=ROUNDING, atol=0)


def test_what_is_not_finite_stays_so():
    x = torch.ones(600, 1)
    x[500] = torch.inf
    total = sum_bags(x, torch.arange(600, dtype=torch.int32), ends_of(torch.tensor([400, 200])))
    assert total.flatten().tolist() == [400, torch.inf]
