"""Means of rows against float64, however many rows a mean has; gradients; what the op says about itself."""

import math
import os

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.autograd import gradcheck, gradgradcheck

from efficientlab.kernels import avg_voxelize, point_to_voxel
from efficientlab.kernels.backend import BYTES
from efficientlab.kernels.means import mean_of_rows

INTERPRETED = os.environ.get("EFFICIENTLAB_KERNELS") == "triton"  # milliseconds a row


def by_loops(y, index, n_rows):
    """In float64, summed exactly (math.fsum)."""
    out = torch.zeros(n_rows, y.shape[1], dtype=torch.float64)
    for v in range(n_rows):
        for c in range(y.shape[1]):
            column = y[index == v, c].double().tolist()
            out[v, c] = math.fsum(column) / len(column) if column else 0.0
    return out


@given(st.integers(0, 80), st.integers(1, 5), st.integers(1, 4), st.integers(0, 2**16))
@settings(deadline=None, max_examples=4 if INTERPRETED else 30)
def test_means_equal_the_definition(points, channels, n_rows, seed):
    rng = torch.Generator().manual_seed(seed)
    y = torch.randn(points, channels, generator=rng, dtype=torch.float64)
    index = torch.randint(-1, n_rows, (points,), generator=rng, dtype=torch.int32)  # −1 belongs nowhere
    assert torch.allclose(mean_of_rows(y, index, n_rows), by_loops(y, index, n_rows), atol=1e-13)


ONES = [3, 1000] if INTERPRETED else [3, 1000, 5000]  # the kernel adds row after row, however many
COUNTS = [1, 2, 3, 15, 16, 17, 33, 255, 256, 257, 1000]


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_a_mean_errs_by_log_n_roundings(count, dtype):
    y = torch.randn(count + 3, 2, generator=torch.Generator().manual_seed(count)).to(dtype) + 7
    index = torch.zeros(count + 3, dtype=torch.int32)
    index[-3:] = 2
    mean, exact = mean_of_rows(y, index, 3), by_loops(y, index, 3)
    ulp = torch.finfo(dtype).eps * 16  # of the sizes that y has
    assert ((mean.double() - exact).abs() <= 2 * ulp * max(1.0, math.log2(count))).all()


def test_a_mean_stays_within_its_rows():
    """1,000 points of one voxel near 206,495: a running float32 sum leaves their range."""
    values = 206494.75 + 0.91 * torch.rand(1000, 3, generator=torch.Generator().manual_seed(0))
    exact = values.double().mean(0)
    one = torch.zeros(1000, dtype=torch.int32)
    points = torch.zeros(1000, 4)
    grid = torch.zeros(1, 3, 1000)
    for mean in (
        mean_of_rows(values, one, 1)[0],
        point_to_voxel(values, points, torch.zeros(1, 4, dtype=torch.int32))[0],
        avg_voxelize(values.t()[None], grid, 1)[0, :, 0, 0, 0],
    ):
        assert (mean >= values.amin(0)).all() and (mean <= values.amax(0)).all()
        assert (mean - exact).abs().max() <= 2 * 2**-6 * math.log2(1000)


@pytest.mark.parametrize("count", ONES)
def test_a_mean_of_ones_is_one(count):
    mean = mean_of_rows(torch.ones(count, 1), torch.zeros(count, dtype=torch.int32), 2)
    assert mean.tolist() == [[1.0], [0.0]]


def test_gradients():
    index = torch.tensor([0, 2, 2, -1, 2, 0], dtype=torch.int32)
    y = torch.randn(6, 3, dtype=torch.float64, requires_grad=True)
    for check in (gradcheck, gradgradcheck):
        assert check(lambda y: mean_of_rows(y, index, 4), (y,), fast_mode=INTERPRETED)
    ones = torch.ones(1000, 1, requires_grad=True)
    mean_of_rows(ones, torch.zeros(1000, dtype=torch.int32), 1).sum().backward()
    assert torch.equal(ones.grad, torch.full((1000, 1), 1 / 1000))


def test_results_do_not_depend_on_threads_or_runs():
    rng = torch.Generator().manual_seed(0)
    y, index = (
        torch.randn(500, 8, generator=rng),
        torch.randint(0, 5, (500,), generator=rng, dtype=torch.int32),
    )
    first = mean_of_rows(y, index, 5)
    threads = torch.get_num_threads()
    try:
        for n in (1, 2):
            torch.set_num_threads(n)
            assert torch.equal(mean_of_rows(y, index, 5), first)
    finally:
        torch.set_num_threads(threads)


@pytest.mark.slow
def test_opcheck_and_cost():
    y, index = torch.randn(6, 3, requires_grad=True), torch.tensor([0, 2, 2, 1, 2, 0], dtype=torch.int32)
    torch.library.opcheck(torch.ops.efficientlab.mean_of_rows.default, (y, index, 4))
    out = mean_of_rows(y, index, 4)
    assert BYTES[torch.ops.efficientlab.mean_of_rows](y, index, 4, out=out) == 4 * (18 + 6 + 12)
