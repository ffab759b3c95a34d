"""Bird's-eye-view pooling against lifting every point by hand, its laws, its index, its registration.

The whole file also runs on the Triton kernels, in Triton's interpreter: see test_triton_interpreter.py.
"""

import math
import os

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.library import opcheck
from torch.utils.flop_counter import FlopCounterMode

from efficientlab.kernels import BEVGrid, backend, bev, bev_index, bev_pool

POOL = torch.ops.efficientlab.bev_pool
INTERPRETED = os.environ.get("EFFICIENTLAB_KERNELS") == "triton"  # milliseconds a call
few = settings(max_examples=4 if INTERPRETED else 30, deadline=None)

GRID = BEVGrid((-2.0, 2.0, 0.5), (0.0, 3.0, 1.0), (-1.0, 1.0))  # 8 × 3 cells


def by_lifting(depth, features, points, grid):
    """The definition: every point's product, added to its cell one by one. Differentiable."""
    n, m, d, h, w = depth.shape
    columns, rows = grid.cells
    cells = [[[[] for _ in range(rows)] for _ in range(columns)] for _ in range(n)]
    for a in range(n):
        for b in range(m):
            for c in range(d):
                for i in range(h):
                    for j in range(w):
                        x, y, z = points[a, b, c, i, j].tolist()
                        u = math.floor((x - grid.x[0]) / grid.x[2])
                        v = math.floor((y - grid.y[0]) / grid.y[2])
                        if 0 <= u < columns and 0 <= v < rows and grid.z[0] <= z < grid.z[1]:
                            cells[a][u][v].append(depth[a, b, c, i, j] * features[a, b, :, i, j])
    zero = torch.zeros(features.shape[2], dtype=depth.dtype)
    summed = [[[torch.stack([zero, *cell]).sum(0) for cell in line] for line in image] for image in cells]
    return torch.stack([torch.stack([torch.stack(line) for line in image]) for image in summed]).movedim(3, 1)


@st.composite
def cases(draw):
    """(depth, features, points), some of the points outside the grid."""
    n, m, d, h, w, c = (draw(st.integers(1, most)) for most in (2, 2, 4, 3, 3, 5))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**31)))
    points = torch.rand(n, m, d, h, w, 3, generator=generator) * 6 - 3
    points /= draw(st.sampled_from([0.5, 1, 20]))  # mostly outside, mixed, all in a few cells
    depth = torch.rand(n, m, d, h, w, dtype=torch.float64, generator=generator)
    features = torch.randn(n, m, c, h, w, dtype=torch.float64, generator=generator)
    return depth, features, points


# ------------------------------------------------------------------------------------------- values


@few
@given(cases())
def test_equals_lifting_with_both_gradients(case):
    depth, features, points = case
    inputs = [t.clone().requires_grad_() for t in (depth, features)]
    y, expected = bev_pool(*inputs, bev_index(points, GRID)), by_lifting(*inputs, points, GRID)
    assert torch.allclose(y, expected, atol=1e-12)
    grad = torch.randn_like(y)
    got = torch.autograd.grad(y, inputs, grad)
    if not expected.requires_grad:
        expected = expected + 0 * sum(t.sum() for t in inputs)
    for a, b in zip(got, torch.autograd.grad(expected, inputs, grad), strict=True):
        assert torch.allclose(a, b, atol=1e-12)


def test_more_points_and_channels_than_one_tile():
    generator = torch.Generator().manual_seed(0)
    points = torch.rand(1, 2, 5, 4, 3, 3, generator=generator) * 4 - 1
    depth = torch.rand(1, 2, 5, 4, 3, dtype=torch.float64, generator=generator, requires_grad=True)
    features = torch.randn(1, 2, 37, 4, 3, dtype=torch.float64, generator=generator, requires_grad=True)
    y, expected = (
        bev_pool(depth, features, bev_index(points, GRID)),
        by_lifting(depth, features, points, GRID),
    )
    assert torch.allclose(y, expected, atol=1e-12)
    for t in (depth, features):
        got, reference = (
            torch.autograd.grad(o.square().sum(), t, retain_graph=True)[0] for o in (y, expected)
        )
        assert torch.allclose(got, reference, atol=1e-10)


def test_a_coordinate_just_below_the_grid_is_outside():
    """Truncation would put cell −0.2 into cell 0."""
    points = torch.zeros(1, 1, 1, 1, 2, 3)
    points[..., 0, 0], points[..., 1, 0] = -2.1, -2.0  # the grid starts at −2
    index = bev_index(points, GRID)
    assert index.cell.flatten().tolist() == [-1, 0]


def test_the_index_is_contiguous_where_the_points_are_not():
    """One row of pixels: the order of pixels and depths is then a matter of strides alone."""
    points = torch.rand(1, 1, 3, 1, 4, 3)
    index = bev_index(points, GRID)
    assert all(t.is_contiguous() for t in bev._tensors(index))
    depth = torch.rand(1, 1, 3, 1, 4, dtype=torch.float64, requires_grad=True)
    features = torch.randn(1, 1, 2, 1, 4, dtype=torch.float64)
    weight = torch.randn(1, 2, *GRID.cells, dtype=torch.float64)
    got, expected = (
        torch.autograd.grad((y * weight).sum(), depth)[0]
        for y in (bev_pool(depth, features, index), by_lifting(depth, features, points, GRID))
    )
    assert torch.allclose(got, expected)


def test_every_border_of_the_grid():
    inside = [(-2.0, 0.0, -1.0), (1.99, 2.99, 0.99)]
    outside = [
        (2.0, 1, 0),
        (0, 3.0, 0),
        (0, -0.01, 0),
        (0, 1, 1.0),
        (0, 1, -1.01),
        (math.inf, 1, 0),
        (0, 1, -math.inf),
    ]
    cell = bev_index(torch.tensor(inside + outside).view(1, 1, -1, 1, 1, 3), GRID).cell
    assert cell.flatten().tolist() == [0, 23] + [-1] * len(outside)


def test_nothing_inside_the_grid_is_zero_and_has_zero_gradients():
    points = torch.full((1, 1, 2, 2, 2, 3), 99.0)
    depth, features = (
        torch.rand(1, 1, 2, 2, 2, requires_grad=True),
        torch.rand(1, 1, 3, 2, 2, requires_grad=True),
    )
    y = bev_pool(depth, features, bev_index(points, GRID))
    y.sum().backward()
    assert y.shape == (1, 3, 8, 3)
    assert not y.any()
    assert not depth.grad.any()
    assert not features.grad.any()


def test_dropped_points_are_never_read():
    """Not as 0 × NaN either."""
    points = torch.zeros(1, 1, 2, 1, 1, 3)
    points[0, 0, 0, 0, 0, 0] = 99
    depth = torch.tensor([math.nan, 2.0]).view(1, 1, 2, 1, 1).requires_grad_()
    features = torch.ones(1, 1, 1, 1, 1, requires_grad=True)
    y = bev_pool(depth, features, bev_index(points, GRID))
    y.sum().backward()
    assert y.sum() == 2
    assert depth.grad.flatten().tolist() == [0, 1]
    assert features.grad.item() == 2


def test_mixed_dtypes_use_the_wider_one():
    depth, features = torch.rand(1, 1, 2, 2, 2), torch.rand(1, 1, 3, 2, 2)
    index = bev_index(torch.rand(1, 1, 2, 2, 2, 3), GRID)
    expected = bev_pool(depth, features, index)
    assert torch.allclose(bev_pool(depth, features.half(), index), expected, atol=1e-2)
    assert bev_pool(depth, features.half(), index).dtype is torch.float32
    half = bev_pool(depth.half(), features.half(), index)
    assert half.dtype is torch.float16
    assert torch.allclose(half.float(), expected, atol=2e-2)


# --------------------------------------------------------------------------------------------- laws


@few
@given(cases())
def test_what_is_inside_is_kept(case):
    """Summed over cells, nothing is lost and nothing counted twice."""
    depth, features, points = case
    index = bev_index(points, GRID)
    inside = (index.cell >= 0).view(*depth.permute(0, 1, 4, 3, 2).shape).permute(0, 1, 4, 3, 2)
    expected = torch.einsum("nmdhw,nmchw->nc", depth * inside, features)
    assert torch.allclose(bev_pool(depth, features, index).sum((2, 3)), expected, atol=1e-10)


@few
@given(cases())
def test_cameras_and_images_are_independent(case):
    depth, features, points = case
    whole = bev_pool(depth, features, bev_index(points, GRID))
    cameras = [
        bev_pool(depth[:, i : i + 1], features[:, i : i + 1], bev_index(points[:, i : i + 1], GRID))
        for i in range(depth.shape[1])
    ]
    assert torch.allclose(whole, sum(cameras), atol=1e-12)
    images = [
        bev_pool(depth[i : i + 1], features[i : i + 1], bev_index(points[i : i + 1], GRID))
        for i in range(len(depth))
    ]
    assert torch.allclose(whole, torch.cat(images), atol=1e-12)


@few
@given(cases())
def test_a_shift_by_one_cell_shifts_the_result(case):
    depth, features, points = case
    shifted = points + torch.tensor([0.5, 0, 0])
    wide = BEVGrid((-4.0, 4.0, 0.5), GRID.y, GRID.z)  # steps of 0.5 are exact
    points = (points * 8).round() / 8
    shifted = points + torch.tensor([0.5, 0, 0])
    one, two = (bev_pool(depth, features, bev_index(p, wide)) for p in (points, shifted))
    assert torch.allclose(one[:, :, :-1], two[:, :, 1:], atol=1e-12)


def test_the_same_twice():
    """No atomics, hence no order that changes."""
    depth, features = torch.rand(1, 2, 9, 4, 5), torch.randn(1, 2, 6, 4, 5)
    index = bev_index(torch.rand(1, 2, 9, 4, 5, 3), GRID)
    assert torch.equal(bev_pool(depth, features, index), bev_pool(depth, features, index))


# ------------------------------------------------------------------------------------- registration


def small():
    generator = torch.Generator().manual_seed(0)
    index = bev_index(torch.rand(1, 2, 3, 2, 2, 3, generator=generator) * 3 - 1, GRID)
    depth = torch.rand(1, 2, 3, 2, 2, dtype=torch.float64, generator=generator, requires_grad=True)
    features = torch.randn(1, 2, 3, 2, 2, dtype=torch.float64, generator=generator, requires_grad=True)
    return depth, features, index


def test_gradcheck_of_first_and_second_order():
    depth, features, index = small()

    def f(depth, features):
        return bev_pool(depth, features, index)

    assert torch.autograd.gradcheck(f, (depth, features), fast_mode=INTERPRETED)
    assert torch.autograd.gradgradcheck(f, (depth, features), fast_mode=INTERPRETED)


@pytest.mark.slow
def test_opcheck():
    _, _, index = small()
    tensors = bev._tensors(index)
    pixels, depths = index.cell.shape
    depth = torch.rand(pixels, depths, requires_grad=True)
    features, cells = torch.randn(pixels, 5, requires_grad=True), torch.randn(24, 5, requires_grad=True)
    opcheck(POOL, (depth, features, tensors))
    opcheck(torch.ops.efficientlab.bev_pool_features_grad, (depth, cells, tensors))
    opcheck(torch.ops.efficientlab.bev_pool_depth_grad, (features, cells, tensors))


@pytest.mark.slow
def test_compile_makes_one_graph_with_the_same_values_and_gradients():
    depth, features, index = small()

    def f(depth, features):
        return bev_pool(depth.softmax(2), features.relu(), index).square().sum()

    compiled = torch.compile(f, fullgraph=True, backend="aot_eager")
    expected = torch.autograd.grad(f(depth, features), (depth, features))
    got = torch.autograd.grad(compiled(depth, features), (depth, features))
    for a, b in zip(got, expected, strict=True):
        assert torch.allclose(a, b)


def test_counts_the_points_inside():
    depth, features, index = small()
    macs = int((index.cell >= 0).sum()) * 3
    with FlopCounterMode(display=False) as counter:
        y = bev_pool(depth, features, index)
    assert counter.get_total_flops() == 2 * macs > 0
    with FlopCounterMode(display=False) as counter:
        y.sum().backward()
    assert counter.get_total_flops() == 4 * macs
    tensors, inside = bev._tensors(index), macs // 3
    rows = torch.zeros(8, 3, dtype=torch.float64), torch.zeros(8, 3, dtype=torch.float64)
    cells = torch.zeros(24, 3, dtype=torch.float64)
    assert backend.BYTES[POOL](*rows, tensors, out=cells) == 8 * (24 + 24 + 72) + 4 * (2 * inside + 25)


# ---------------------------------------------------------------------------------------- sentences


def test_a_bad_index_gets_one_sentence():
    with pytest.raises(ValueError, match=r"points must be \(N, M, D, H, W, 3\), got shape \(1, 3\)"):
        bev_index(torch.zeros(1, 3), GRID)
    with pytest.raises(ValueError, match="points holds NaN; check the camera matrices"):
        bev_index(torch.full((1, 1, 1, 1, 1, 3), math.nan), GRID)
    with pytest.raises(ValueError, match=r"the grid has no cells: .* give 0 × 3"):
        bev_index(torch.zeros(1, 1, 1, 1, 1, 3), BEVGrid((0, 0, 1), GRID.y, GRID.z))


def test_bad_operands_get_one_sentence():
    depth, features, index = small()
    with pytest.raises(ValueError, match=r"depth must be \(N, M, D, H, W\) = \(1, 2, 3, 2, 2\), got"):
        bev_pool(depth[:, :1], features, index)
    with pytest.raises(ValueError, match=r"features must be \(N, M, C, H, W\) = \(1, 2, C, 2, 2\), got"):
        bev_pool(depth, features[..., :1], index)
    with pytest.raises(TypeError, match="depth and features must be floating"):
        bev_pool(depth, features.int(), index)


@pytest.mark.parametrize(
    ("x", "sentence"),
    [
        ((0, 1, 0.3), r"0\.3 does not divide \[0, 1\] into whole cells, but into 3\.333; a stop of 0\.9 gives 3"),
        ((0, 1, 0.6), r"but into 1\.667; a stop of 1\.2 gives 2"), ((-51.2, 51.2, 0.35), "does not divide"),
        ((0, 1, 0), "a positive step"), ((1, 0, -0.5), "a positive step"), ((0, float("inf"), 1), "positive step"),
        ((0, 1, float("nan")), "positive step"), ((1, 0, 0.5), "no cells"), ((0, 1, 1e9), "does not divide|no cells"),
    ],
)  # fmt: skip
def test_grids_that_do_not_fit_sentence(x, sentence):
    points = torch.zeros(1, 1, 1, 1, 1, 3)
    with pytest.raises(ValueError, match=sentence):
        bev_index(points, BEVGrid(x, GRID.y, GRID.z))
    with pytest.raises(ValueError, match=sentence):
        bev_index(points, BEVGrid(GRID.x, x, GRID.z))


def test_grids_of_decimal_steps_fit():
    for x, cells in {
        (-51.2, 51.2, 0.4): 256,
        (-54, 54, 0.3): 360,
        (0, 1, 0.1): 10,
        (-1e3, 1e3, 1e-3): 2_000_000,
    }.items():
        assert BEVGrid(x, GRID.y, GRID.z).cells == (cells, 3)


@pytest.mark.parametrize("z", [(1.0, -1.0), (2.0, 2.0), (float("nan"), 1.0)])
def test_heights_that_run_backwards_sentence(z):
    with pytest.raises(ValueError, match=r"no heights: z must be \(lowest, highest\)"):
        bev_index(torch.zeros(1, 1, 1, 1, 1, 3), BEVGrid(GRID.x, GRID.y, z))


def test_cells_of_points_in_half_precision():
    """51.2 m and 0.1 m: half precision has no two numbers so close that their difference is a cell."""
    points = (torch.rand(1, 1, 8, 4, 4, 3, generator=torch.Generator().manual_seed(0)) * 100 - 50).half()
    points[..., 2] = 0
    grid = BEVGrid((-51.2, 51.2, 0.1), (-51.2, 51.2, 0.1), (-1, 1))
    assert torch.equal(bev_index(points, grid).cell, bev_index(points.float(), grid).cell)
