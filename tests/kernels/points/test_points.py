"""Sampling, neighbours and grouping: values against explicit loops, laws, registration, sentences.

The whole file also runs on the Triton kernels, in Triton's interpreter: see test_triton_interpreter.py.
"""

import os

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.library import opcheck
from torch.utils.flop_counter import FlopCounterMode

from efficientlab.kernels import backend, ball_query, farthest_point_sample, group, knn

OPS = torch.ops.efficientlab
INTERPRETED = os.environ.get("EFFICIENTLAB_KERNELS") == "triton"
slow = pytest.mark.skipif(INTERPRETED, reason="thousands of launches: checked on PyTorch alone")
few = settings(max_examples=4 if INTERPRETED else 25, deadline=None)


def squared(a, b):
    return sum((u - v) ** 2 for u, v in zip(a, b, strict=True))


def sample_by_loops(points, n_samples):
    rows = []
    for cloud in points.double().transpose(1, 2).tolist():
        chosen = [0]
        while len(chosen) < n_samples:
            gaps = [min(squared(p, cloud[j]) for j in chosen) for p in cloud]
            chosen.append(gaps.index(max(gaps)))
        rows.append(chosen)
    return rows


def ball_by_loops(points, centres, radius, k):
    result = []
    for cloud, some in zip(points.mT.double().tolist(), centres.mT.double().tolist(), strict=True):
        inside = [[i for i, p in enumerate(cloud) if squared(p, c) < radius**2] for c in some]
        result.append([(hits + hits[:1] * k)[:k] if hits else [0] * k for hits in inside])
    return result


def knn_by_loops(points, centres, k):
    result = []
    for cloud, some in zip(points.mT.double().tolist(), centres.mT.double().tolist(), strict=True):
        result.append([sorted(range(len(cloud)), key=lambda i: (squared(cloud[i], c), i))[:k] for c in some])
    return result


@st.composite
def clouds(draw):
    """(points, centres) on a grid of halves: distances are exact, and many are equal."""
    n, p, m = draw(st.integers(1, 2)), draw(st.integers(1, 20)), draw(st.integers(0, 6))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**31)))
    dtype = draw(st.sampled_from([torch.float32, torch.float64]))
    points = torch.randint(-4, 5, (n, 3, p), generator=generator).to(dtype) / 2
    centres = torch.randint(-4, 5, (n, 3, m), generator=generator).to(dtype) / 2
    return points, centres


# ------------------------------------------------------------------------------------------- values


@pytest.mark.slow
@few
@given(clouds(), st.data())
def test_sampling_equals_its_definition(cloud, data):
    points, _ = cloud
    n_samples = data.draw(st.integers(1, points.shape[2]))
    before = points.clone()
    assert farthest_point_sample(points, n_samples).tolist() == sample_by_loops(points, n_samples)
    assert torch.equal(points, before)


@few
@given(clouds(), st.sampled_from([0.4, 0.5, 1.0, 1.7, 9.0]), st.integers(1, 7))
def test_ball_query_equals_its_definition(cloud, radius, k):
    points, centres = cloud
    assert ball_query(points, centres, radius, k).tolist() == ball_by_loops(points, centres, radius, k)


@few
@given(clouds(), st.data())
def test_knn_equals_its_definition(cloud, data):
    points, centres = cloud
    k = data.draw(st.integers(1, points.shape[2]))
    index, distance = knn(points, centres, k)
    assert index.tolist() == knn_by_loops(points, centres, k)
    near = torch.gather(
        points[:, :, None].expand(-1, -1, centres.shape[2], -1), 3, index[:, None].expand(-1, 3, -1, -1)
    )
    assert torch.equal(distance, (near - centres[..., None]).square().sum(1))


def test_a_point_at_the_radius_is_outside():
    points = torch.tensor([[[0.0, 2.0, 1.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]])
    centre = torch.zeros(1, 3, 1)
    assert ball_query(points, centre, 2.0, 3).tolist() == [[[0, 2, 0]]]
    assert ball_query(points, centre, 2.001, 3).tolist() == [[[0, 1, 2]]]


def test_more_points_than_one_block():
    points, centres = torch.randn(1, 3, 1500), torch.randn(1, 3, 2)
    index, _ = knn(points, centres, 4)
    exact = (points.double()[:, :, None] - centres.double()[..., None]).square().sum(1)
    assert torch.equal(index, exact.topk(4, largest=False)[1])
    chosen = farthest_point_sample(points, 4)
    assert chosen.tolist() == sample_by_loops(points, 4)


@few
@given(clouds(), st.integers(1, 4))
def test_group_gathers_and_its_gradient_scatters(cloud, c):
    points, centres = cloud
    n, _, p = points.shape
    features = torch.randn(n, c, p, dtype=torch.float64, requires_grad=True)
    for index in (torch.randint(0, p, (n, centres.shape[2], 3)), torch.randint(0, p, (n, 5))):
        y = group(features, index)
        wide = index.flatten(1)[:, None].expand(-1, c, -1)
        plain = features.gather(2, wide).view(n, c, *index.shape[1:])
        assert torch.equal(y, plain)
        g = torch.randn_like(plain)
        (got,), (expected,) = (torch.autograd.grad(t, features, g) for t in (y, plain))
        assert torch.allclose(got, expected, atol=1e-12)


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32])
def test_other_precisions(dtype):
    points = torch.randn(2, 3, 30).to(dtype)
    exact = points.double()
    assert torch.equal(farthest_point_sample(points, 5), farthest_point_sample(exact, 5))
    assert torch.equal(knn(points, points[:, :, :4], 3)[0], knn(exact, exact[:, :, :4], 3)[0])
    assert torch.equal(ball_query(points, points, 0.7, 3), ball_query(exact, exact, 0.7, 3))
    assert group(points, torch.zeros(2, 4, dtype=torch.int32)).dtype is dtype


# --------------------------------------------------------------------------------------------- laws


def test_sampling_covers_better_than_chance():
    points = torch.randn(1, 3, 300)
    chosen = points[0, :, farthest_point_sample(points, 20)[0]]
    by_chance = points[0, :, :20]
    reach = [knn(s[None], points, 1)[1].max() for s in (chosen, by_chance)]
    assert reach[0] < reach[1]


@few
@given(clouds())
def test_all_points_sampled_are_all_points(cloud):
    points = torch.unique(cloud[0][:1], dim=2)
    chosen = farthest_point_sample(points, points.shape[2])
    assert torch.equal(chosen.sort(1)[0][0], torch.arange(points.shape[2]))


@few
@given(clouds())
def test_moving_a_cloud_moves_no_index(cloud):
    points, centres = cloud
    shift = torch.tensor([4.0, -8.0, 2.0], dtype=points.dtype)[None, :, None]
    assert torch.equal(farthest_point_sample(points, 1), farthest_point_sample(points + shift, 1))
    assert torch.equal(ball_query(points, centres, 1, 3), ball_query(points + shift, centres + shift, 1, 3))
    assert torch.equal(knn(points, centres, 1)[0], knn(points + shift, centres + shift, 1)[0])


# ------------------------------------------------------------------------------------- registration


@pytest.mark.slow
@slow
def test_opcheck():
    points, centres = torch.randn(2, 3, 9), torch.randn(2, 3, 4)
    opcheck(OPS.farthest_point_sample, (points, 3))
    opcheck(OPS.ball_query, (points, centres, 1.0, 3))
    opcheck(OPS.knn, (points.half(), centres.half(), 3))
    opcheck(OPS.batched_rows, (torch.randint(0, 9, (2, 4, 3)), 9))


@slow
def test_gradcheck_of_grouping():
    features = torch.randn(2, 2, 5, dtype=torch.float64, requires_grad=True)
    index = torch.randint(0, 5, (2, 3, 2))
    assert torch.autograd.gradcheck(lambda f: group(f, index), features)
    assert torch.autograd.gradgradcheck(lambda f: group(f, index), features)


@pytest.mark.slow
def test_compile_makes_one_graph_with_the_same_values_and_gradients():
    points, features = torch.randn(2, 3, 30), torch.randn(2, 4, 30, requires_grad=True)

    def f(features):
        centres = group(points, farthest_point_sample(points, 5))
        near = group(features, ball_query(points, centres, 1.0, 4)).amax(3)
        index, distance = knn(centres, points, 3)
        return (group(near, index) / (distance[:, None] + 1)).sum()

    compiled = torch.compile(f, fullgraph=True, backend="aot_eager")
    assert torch.allclose(compiled(features), f(features), atol=1e-4)
    got, expected = (torch.autograd.grad(g(features), features)[0] for g in (compiled, f))
    assert torch.allclose(got, expected, atol=1e-5)


def test_costs_three_macs_for_each_distance():
    points, centres = torch.randn(2, 3, 9), torch.randn(2, 3, 4)
    for run, macs in (
        (lambda: farthest_point_sample(points, 5), 4 * 2 * 9 * 3),
        (lambda: ball_query(points, centres, 1.0, 3), 2 * 9 * 4 * 3),
        (lambda: knn(points, centres, 3), 2 * 9 * 4 * 3),
        (lambda: group(points, torch.zeros(2, 4, dtype=torch.int64)), 0),
    ):
        with FlopCounterMode(display=False) as counter:
            run()
        assert counter.get_total_flops() == 2 * macs
    index = torch.zeros(2, 4, 3, dtype=torch.int64)
    assert backend.BYTES[OPS.ball_query](points, centres, 1.0, 3, out=index) == 4 * (54 + 24) + 8 * 24


# ---------------------------------------------------------------------------------------- sentences


def test_bad_arguments_get_one_sentence():
    points = torch.randn(2, 3, 9)
    with pytest.raises(ValueError, match=r"points must be \(N, 3, P\), got \(2, 9, 3\)"):
        farthest_point_sample(points.mT, 2)
    with pytest.raises(TypeError, match=r"points must be real, got torch\.int64"):
        farthest_point_sample(points.long(), 2)
    with pytest.raises(ValueError, match=r"n_samples must be in \[1, 9\], the points of a cloud, got 10"):
        farthest_point_sample(points, 10)
    with pytest.raises(ValueError, match="points are a batch of 2, centres of 1"):
        knn(points, points[:1], 1)
    with pytest.raises(TypeError, match=r"points are torch\.float32 on cpu, centres torch\.float64 on cpu"):
        ball_query(points, points.double(), 1.0, 1)
    with pytest.raises(ValueError, match=r"n_neighbours must be in \[1, 9\], the points, got 0"):
        knn(points, points, 0)
    with pytest.raises(ValueError, match=r"n_neighbours and radius must be positive, got 3 and -1\.0"):
        ball_query(points, points, -1.0, 3)
    with pytest.raises(ValueError, match="there is no point to find"):
        ball_query(points[:, :, :0], points, 1.0, 3)
    with pytest.raises(ValueError, match="centres hold NaN or infinity"):
        knn(points, points * torch.nan, 1)
    with pytest.raises(ValueError, match=r"index must be in \[0, 9\), the points of a cloud, got -1 to 3"):
        group(points, torch.tensor([[3], [-1]]))
    with pytest.raises(
        ValueError, match=r"features must be \(N, C, P\) and index \(N, M, K\) or \(N, M\), got"
    ):
        group(points, torch.zeros(1, 4, dtype=torch.int64))
    with pytest.raises(TypeError, match=r"features must be real and index integers, got torch\.float32 and"):
        group(points, torch.zeros(2, 4))


@pytest.mark.parametrize("scale", [1e-30, 1e-12, 1e15, 1e30])
def test_squares_of_distances_neither_overflow_nor_vanish(scale):
    generator = torch.Generator().manual_seed(0)
    points = torch.rand(2, 3, 40, generator=generator)
    points[1] *= 8  # clouds of a batch have powers of their own
    far = points * scale
    exact = far.double()
    assert torch.equal(farthest_point_sample(far, 12), farthest_point_sample(exact, 12))
    centres = far[:, :, :5].contiguous()
    index, distance = knn(far, centres, 6)
    expected, squared = knn(exact, centres.double(), 6)
    assert torch.equal(index, expected)
    if 1e-19 < scale < 1e19:  # else its square is no float32
        torch.testing.assert_close(distance.double(), squared, rtol=1e-5, atol=1e-5 * float(squared.max()))
    found = ball_query(far, centres, 0.37 * scale, 8)
    assert torch.equal(found, ball_query(exact, centres.double(), 0.37 * scale, 8))


def test_numbers_of_points_are_whole():
    points = torch.rand(1, 3, 8)
    for wrong in (2.0, True, "2"):
        for call in (
            lambda wrong=wrong: farthest_point_sample(points, wrong),
            lambda wrong=wrong: knn(points, points, wrong),
            lambda wrong=wrong: ball_query(points, points, 0.5, wrong),
        ):
            with pytest.raises(TypeError, match=r"(n_samples|n_neighbours) must be a whole number"):
                call()
    with pytest.raises(TypeError, match=r"radius must be a number, got '0\.5'"):
        ball_query(points, points, "0.5", 2)


def test_an_index_is_of_integers_that_torch_calculates_with():
    features, index = torch.rand(1, 2, 8), torch.zeros(1, 3, dtype=torch.int64)
    for dtype in (torch.bool, torch.complex64, torch.uint16, torch.float32):
        with pytest.raises(TypeError, match="index integers"):
            group(features, index.to(dtype))
    with pytest.raises(ValueError, match="more than the 2³¹"):
        group(torch.empty(3, 0, 2**30), index.expand(3, 3))
