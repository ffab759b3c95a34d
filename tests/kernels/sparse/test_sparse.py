"""Sparse convolution: coordinates, kernel maps and values against explicit loops and dense conv3d.

The whole file also runs on the Triton kernels, in Triton's interpreter: see test_triton_interpreter.py.
"""

import itertools
import os

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.library import opcheck
from torch.utils.flop_counter import FlopCounterMode

from efficientlab.kernels import (
    KernelMap,
    SparseTensor,
    backend,
    downsample,
    find_voxels,
    kernel_map,
    kernel_offsets,
    occupied_voxels,
    point_to_voxel,
    reached_voxels,
    sparse_conv,
    sparse_to_dense,
    voxel_to_point,
)
from efficientlab.kernels.sparse import map as map_module

OPS = torch.ops.efficientlab
INTERPRETED = os.environ.get("EFFICIENTLAB_KERNELS") == "triton"
slow = pytest.mark.skipif(INTERPRETED, reason="thousands of launches: checked on PyTorch alone")
few = settings(max_examples=4 if INTERPRETED else 20, deadline=None)
EXACT = torch.float32 if INTERPRETED else torch.float64  # tl.dot takes no float64: such features go blocked
CLOSE = {"atol": 1e-4, "rtol": 1e-4} if INTERPRETED else {"atol": 1e-10}


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    """Blocks of four rows, so that a few voxels already fill several."""
    monkeypatch.setattr(map_module, "block_rows", lambda pairs, width: 4)


def random_voxels(n, batch=2, size=5, seed=0):
    generator = torch.Generator().manual_seed(seed)
    cells = torch.randperm(batch * size**3, generator=generator)[:n]
    axes = [cells // size**3, cells // size**2 % size, cells // size % size, cells % size]
    return torch.stack(axes, 1).int()


def pairs_by_loops(coords, out_coords, kernel_size, stride, dilation):
    """The definition: a set of (offset, input row, output row)."""
    where = {tuple(row): i for i, row in enumerate(coords.tolist())}
    steps = [stride] * 3 if isinstance(stride, int) else stride
    pairs = set()
    for k, offset in enumerate(kernel_offsets(kernel_size, dilation)):
        for o, (b, *place) in enumerate(out_coords.tolist()):
            i = where.get((b, *(p * s + d for p, s, d in zip(place, steps, offset, strict=True))))
            if i is not None:
                pairs.add((k, i, o))
    return pairs


def pairs_of(m):
    offset = torch.repeat_interleave(torch.tensor(m.counts))
    return set(zip(offset.tolist(), m.source.tolist(), m.target.tolist(), strict=True))


def conv_by_loops(x, weight, m):
    y = torch.zeros(m.n_targets, weight.shape[2], dtype=torch.float64)
    for k, i, o in pairs_of(m):
        y[o] += x[i].double() @ weight[k].double()
    return y


@st.composite
def problems(draw):
    """(coords, out_coords, kernel_size, stride, dilation) in any order of rows."""
    n = draw(st.integers(0, 30))
    coords = random_voxels(n, size=draw(st.integers(3, 6)), seed=draw(st.integers(0, 2**31)))
    coords = coords + torch.tensor([0, *draw(st.tuples(*[st.integers(-4, 4)] * 3))], dtype=torch.int32)
    kernel_size = draw(st.sampled_from([1, 2, 3, (3, 1, 2), (2, 3, 5), 4]))
    stride, dilation = draw(st.sampled_from([1, 2, 3, (1, 2, 1)])), draw(st.integers(1, 2))
    kind = draw(st.sampled_from(["submanifold", "strided", "generalised", "other"]))
    if kind == "submanifold":
        return coords, coords, kernel_size, 1, dilation
    if kind == "strided":
        return coords, downsample(coords, stride), kernel_size, stride, dilation
    if kind == "generalised":
        return coords, reached_voxels(coords, kernel_size, stride, dilation), kernel_size, stride, dilation
    return coords, random_voxels(9, seed=n), kernel_size, stride, dilation


# -------------------------------------------------------------------------------------- coordinates


def test_occupied_voxels_are_the_sorted_floors():
    points = torch.tensor([[1, 0.5, 2.0, -0.1], [0, 3.9, 0.0, 0.0], [1, 0.1, 2.9, -1.0]])
    assert occupied_voxels(points).tolist() == [[0, 3, 0, 0], [1, 0, 2, -1]]


@few
@given(problems())
def test_coarse_and_reached_voxels_equal_their_definitions(problem):
    coords, _, kernel_size, stride, dilation = problem
    steps = [stride] * 3 if isinstance(stride, int) else stride
    coarse = {(b, *(p // s for p, s in zip(place, steps, strict=True))) for b, *place in coords.tolist()}
    assert downsample(coords, stride).tolist() == sorted(map(list, coarse))
    reached = set()
    for b, *place in coords.tolist():
        for offset in kernel_offsets(kernel_size, dilation):
            at = [p - d for p, d in zip(place, offset, strict=True)]
            if all(a % s == 0 for a, s in zip(at, steps, strict=True)):
                reached.add((b, *(a // s for a, s in zip(at, steps, strict=True))))
    assert reached_voxels(coords, kernel_size, stride, dilation).tolist() == sorted(map(list, reached))


@few
@given(problems())
def test_find_voxels_is_a_dictionary(problem):
    coords = problem[0]
    where = {tuple(row): i for i, row in enumerate(coords.tolist())}
    wanted = torch.cat([coords.flip(0), random_voxels(40, batch=3, size=7), coords + 1000])
    assert find_voxels(coords, wanted).tolist() == [where.get(tuple(row), -1) for row in wanted.tolist()]


def test_far_apart_voxels_are_found():
    coords = torch.tensor([[0, 0, 0, 0], [3, 10**5, -(10**5), 5], [0, 10**5, 10**5, 10**5]])
    assert find_voxels(coords, coords.flip(0)).tolist() == [2, 1, 0]
    m = kernel_map(coords, coords, 3)
    assert m.counts == (0,) * 13 + (3,) + (0,) * 13


# ---------------------------------------------------------------------------------------------- map


@few
@given(problems())
def test_the_map_equals_its_definition(problem):
    m = kernel_map(*problem)
    assert pairs_of(m) == pairs_by_loops(*problem)
    assert (m.n_sources, m.n_targets) == (len(problem[0]), len(problem[1]))
    for rows in m.target.split(m.counts):
        assert (rows.diff() > 0).all()


@few
@given(problems())
def test_the_transposed_map_swaps_inputs_and_outputs(problem):
    m = kernel_map(*problem)
    assert pairs_of(m.T) == {(k, o, i) for k, i, o in pairs_of(m)}
    assert (m.T.n_sources, m.T.n_targets) == (m.n_targets, m.n_sources)
    for rows in m.T.target.split(m.T.counts):
        assert (rows.diff() > 0).all()
    assert m.T.T is m


def test_lines_of_voxels_do_not_meet_across_the_border_of_their_box():
    coords = torch.tensor([[0, 0, 0, 4], [0, 0, 1, 0], [0, 1, 0, 0], [1, 0, 0, 0]])
    m = kernel_map(coords, coords, 5)
    assert pairs_of(m) == pairs_by_loops(coords, coords, 5, 1, 1)


def test_a_lidar_scan_has_the_pairs_of_its_definition():
    angle = torch.linspace(0, 6.28, 300)[:, None]
    ring = torch.arange(1, 5)[None] * 6.0
    points = torch.stack(
        [torch.zeros(300, 4), ring * angle.cos(), ring * angle.sin(), (ring * 0.3 + angle).sin()], -1
    )
    coords = occupied_voxels(points.view(-1, 4) * torch.tensor([1, 2, 2, 4]))
    assert len(coords) > 500
    assert pairs_of(kernel_map(coords, coords, 3)) == pairs_by_loops(coords, coords, 3, 1, 1)


# ------------------------------------------------------------------------------------------- values


@few
@given(problems(), st.integers(1, 5), st.integers(1, 5))
def test_convolution_equals_its_definition_both_ways(problem, c, d):
    m = kernel_map(*problem)
    for pairs in (m, m.T):
        x = torch.randn(pairs.n_sources, c, dtype=EXACT)
        weight = torch.randn(len(pairs.counts), c, d, dtype=EXACT)
        before = x.clone(), weight.clone()
        y = sparse_conv(x, weight, pairs)
        assert torch.allclose(y.double(), conv_by_loops(x, weight, pairs), **CLOSE)
        assert torch.equal(x, before[0]) and torch.equal(weight, before[1])


@pytest.mark.parametrize(
    ("kernel_size", "stride", "dilation"), [(3, 1, 1), (5, 1, 1), (3, 1, 2), (3, 2, 1), (2, 2, 1)]
)
def test_equals_dense_convolution_at_the_output_voxels(kernel_size, stride, dilation):
    size, c, d = 6, 3, 4
    coords = random_voxels(60, size=size)
    out = coords if stride == 1 else downsample(coords, stride)
    x = torch.randn(60, c, dtype=EXACT)
    weight = torch.randn(kernel_size**3, c, d, dtype=EXACT)
    dense = sparse_to_dense(coords, x, (2, size, size, size))
    kernel = weight.unflatten(0, (kernel_size,) * 3).permute(4, 3, 0, 1, 2)
    padding = dilation * (kernel_size // 2) if kernel_size % 2 else 0
    expected = F.conv3d(dense.double(), kernel.double(), None, stride, padding, dilation)
    at = expected.permute(0, 2, 3, 4, 1)[tuple(out.long().T)]
    y = sparse_conv(x, weight, kernel_map(coords, out, kernel_size, stride, dilation))
    assert torch.allclose(y.double(), at, **CLOSE)


def test_the_transposed_map_equals_dense_transposed_convolution():
    coords = random_voxels(40, size=6)
    coarse = downsample(coords, 2)
    x, weight = torch.randn(len(coarse), 3, dtype=EXACT), torch.randn(8, 3, 4, dtype=EXACT)
    dense = sparse_to_dense(coarse, x, (2, 3, 3, 3)).double()
    expected = F.conv_transpose3d(dense, weight.double().view(2, 2, 2, 3, 4).permute(3, 4, 0, 1, 2), stride=2)
    at = expected.permute(0, 2, 3, 4, 1)[tuple(coords.long().T)]
    y = sparse_conv(x, weight, kernel_map(coords, coarse, 2, 2).T)
    assert torch.allclose(y.double(), at, **CLOSE)


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32])
def test_lower_precisions(dtype):
    coords = random_voxels(50)
    m = kernel_map(coords, coords, 3)
    x, weight = torch.randn(50, 40).to(dtype), (torch.randn(27, 40, 33) / 20).to(dtype)
    y = sparse_conv(x, weight, m)
    tolerance = {torch.float16: 5e-3, torch.float32: 1e-5}[dtype]
    assert y.dtype is dtype and torch.allclose(y.double(), conv_by_loops(x, weight, m), atol=tolerance)


def test_no_voxel_and_one_voxel():
    none, one = torch.zeros(0, 4, dtype=torch.int32), torch.zeros(1, 4, dtype=torch.int32)
    weight = torch.randn(27, 3, 2, requires_grad=True)
    y = sparse_conv(torch.zeros(0, 3), weight, kernel_map(none, none, 3))
    assert y.shape == (0, 2)
    y.sum().backward()
    assert not weight.grad.any()
    x = torch.randn(1, 3)
    assert torch.allclose(sparse_conv(x, weight, kernel_map(one, one, 3)), x @ weight[13], atol=1e-6)
    y = sparse_conv(x, weight, kernel_map(one, one + 100, 3))
    assert y.shape == (1, 2) and not y.any()


def test_results_and_gradients_are_the_same_bits_every_time():
    coords = random_voxels(100)
    m = kernel_map(coords, coords, 3)
    x, weight = torch.randn(100, 8, requires_grad=True), torch.randn(27, 8, 8, requires_grad=True)

    def once():
        y = sparse_conv(x, weight, kernel_map(coords, coords, 3))
        return y, *torch.autograd.grad(y.square().sum(), (x, weight))

    first = once()
    assert m.n_sources == 100
    assert all(torch.equal(a, b) for a, b in zip(first, once(), strict=True))


# --------------------------------------------------------------------------------------------- laws


def test_the_order_of_the_voxels_does_not_matter():
    coords, order = random_voxels(60), torch.randperm(60)
    x, weight = torch.randn(60, 4, dtype=EXACT), torch.randn(27, 4, 5, dtype=EXACT)
    y = sparse_conv(x, weight, kernel_map(coords, coords, 3))
    shuffled = coords[order]
    permuted = sparse_conv(x[order], weight, kernel_map(shuffled, shuffled, 3))
    assert torch.allclose(permuted, y[order], **CLOSE)


def test_moving_all_voxels_changes_nothing():
    coords = random_voxels(60)
    x, weight = torch.randn(60, 4, dtype=EXACT), torch.randn(27, 4, 5, dtype=EXACT)
    moved = coords + torch.tensor([1, -20, 7, 1000], dtype=torch.int32)
    y = sparse_conv(x, weight, kernel_map(coords, coords, 3))
    assert torch.equal(y, sparse_conv(x, weight, kernel_map(moved, moved, 3)))


def test_clouds_of_a_batch_never_mix():
    coords = random_voxels(60)
    x, weight = torch.randn(60, 4, dtype=EXACT), torch.randn(27, 4, 5, dtype=EXACT)
    y = sparse_conv(x, weight, kernel_map(coords, coords, 3))
    for b in (0, 1):
        mine = coords[:, 0] == b
        alone = coords[mine]
        assert torch.allclose(sparse_conv(x[mine], weight, kernel_map(alone, alone, 3)), y[mine], **CLOSE)


def test_any_strides():
    coords = random_voxels(40).T.contiguous().T
    m = kernel_map(coords, coords, 3)
    x, weight = torch.randn(3, 40, dtype=EXACT).T, torch.randn(27, 5, 6, dtype=EXACT).mT[:, ::2]
    assert torch.allclose(sparse_conv(x, weight, m).double(), conv_by_loops(x, weight, m), **CLOSE)


# -------------------------------------------------------------------------------------------- gradients


@pytest.mark.parametrize("kind", ["submanifold", "strided", "transposed"])
def test_gradients_equal_those_of_the_definition(kind):
    coords = random_voxels(30)
    m = (
        kernel_map(coords, coords, 3)
        if kind == "submanifold"
        else kernel_map(coords, downsample(coords, 2), 2, 2)
    )
    m = m.T if kind == "transposed" else m
    x = torch.randn(m.n_sources, 3, dtype=EXACT, requires_grad=True)
    weight = torch.randn(len(m.counts), 3, 4, dtype=EXACT, requires_grad=True)
    g = torch.randn(m.n_targets, 4, dtype=EXACT)
    dx, dw = torch.autograd.grad(sparse_conv(x, weight, m), (x, weight), g)
    want_x, want_w = torch.autograd.grad(conv_by_loops(x, weight, m), (x, weight), g.double())
    assert torch.allclose(dx.double(), want_x.double(), **CLOSE)
    assert torch.allclose(dw.double(), want_w.double(), **CLOSE)


@slow
@pytest.mark.parametrize("symmetric", [True, False])
def test_gradcheck(symmetric):
    coords = random_voxels(6, batch=1, size=2)
    m = (
        kernel_map(coords, coords, (3, 3, 1))
        if symmetric
        else kernel_map(coords, downsample(coords, 2), 2, 2)
    )
    x = torch.randn(6, 2, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(len(m.counts), 2, 1, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x, w: sparse_conv(x, w, m), (x, weight))
    assert torch.autograd.gradgradcheck(lambda x, w: sparse_conv(x, w, m), (x, weight))


@pytest.mark.parametrize("wanted", [(True, False), (False, True)])
def test_only_the_gradient_that_is_wanted(wanted):
    coords = random_voxels(20)
    m = kernel_map(coords, downsample(coords, 2), 2, 2)
    x, weight = torch.randn(20, 3), torch.randn(8, 3, 2)
    both = torch.autograd.grad(sparse_conv(x.requires_grad_(), weight.requires_grad_(), m).sum(), (x, weight))
    x.requires_grad_(wanted[0]), weight.requires_grad_(wanted[1])
    one = torch.autograd.grad(sparse_conv(x, weight, m).sum(), x if wanted[0] else weight)
    assert torch.equal(one[0], both[0] if wanted[0] else both[1])


# ---------------------------------------------------------------------------------- dense and tensor


def test_dense_grid_and_its_gradient():
    coords = random_voxels(20)
    x = torch.randn(20, 3, requires_grad=True)
    dense = sparse_to_dense(coords, x, (2, 5, 5, 6))
    assert dense.shape == (2, 3, 5, 5, 6)
    assert dense.is_contiguous(memory_format=torch.channels_last_3d)
    assert torch.equal(dense.permute(0, 2, 3, 4, 1)[tuple(coords.long().T)], x)
    assert torch.allclose(dense.sum(), x.sum(), atol=1e-5)
    g = torch.randn_like(dense)
    (dx,) = torch.autograd.grad(dense, x, g)
    assert torch.equal(dx, g.permute(0, 2, 3, 4, 1)[tuple(coords.long().T)])


def test_layers_of_one_resolution_share_a_map():
    x = SparseTensor(random_voxels(40), torch.randn(40, 4))
    weight = torch.randn(27, 4, 4)
    y = x.conv(weight).conv(weight)
    assert len(x.level.maps) == 1 and y.level is x.level
    pairs = x.level.maps[(3,) * 3, (1,) * 3, (1,) * 3]
    assert torch.equal(y.features, sparse_conv(sparse_conv(x.features, weight, pairs), weight, pairs))


def test_a_small_u_net_returns_to_its_voxels():
    x = SparseTensor(random_voxels(40), torch.randn(40, 4))
    below = x.conv(torch.randn(8, 4, 6), kernel_size=2, stride=2)
    assert torch.equal(below.coords, downsample(x.coords, 2))
    up = below.conv(torch.randn(27, 6, 6)).conv_transposed(torch.randn(8, 6, 4), to=x)
    assert up.coords is x.coords and up.features.shape == (40, 4)
    assert x.replace(torch.cat([x.features, up.features], 1)).level is x.level
    with pytest.raises(ValueError, match="no convolution of kernel 2 and stride 2 led from `to` here"):
        x.conv_transposed(torch.randn(8, 4, 4), to=SparseTensor(x.coords, x.features))


# ------------------------------------------------------------------------------------- registration


@pytest.mark.slow
@slow
@pytest.mark.parametrize("symmetric", [True, False])
def test_opcheck(symmetric):
    coords = random_voxels(9)
    m = kernel_map(coords, coords, 3) if symmetric else kernel_map(coords, downsample(coords, 2), 2, 2)
    x = torch.randn(m.n_sources, 3, requires_grad=True)
    weight = torch.randn(len(m.counts), 3, 2, requires_grad=True)
    plan, back = m.plan(False, 3), [] if symmetric else m.T.plan(False, 3)
    opcheck(OPS.sparse_conv, (x, weight, m.n_targets, plan, back, symmetric, False))
    grad = torch.randn(m.n_targets, 2)
    for wanted in ([True, True], [False, True]):
        opcheck(OPS.sparse_conv_grads, (grad, x, weight, wanted, plan, back, symmetric, False))
    opcheck(OPS.find_voxels, (coords, coords + 1))
    opcheck(OPS.voxel_of, (torch.randn(5, 4),))


@pytest.mark.slow
def test_compile_makes_one_graph_with_the_same_values_and_gradients():
    coords = random_voxels(20)
    m, down = kernel_map(coords, coords, 3), kernel_map(coords, downsample(coords, 2), 2, 2)
    x, weight = torch.randn(20, 3, requires_grad=True), torch.randn(27, 3, 3)
    other = torch.randn(8, 3, 2)

    def f(x):
        return sparse_conv(sparse_conv(x, weight, m).relu(), other, down).square().sum()

    expected = f(x), *torch.autograd.grad(f(x), x)  # which also makes the plans
    compiled = torch.compile(f, fullgraph=True, backend="aot_eager")
    assert torch.allclose(compiled(x), expected[0])
    assert torch.allclose(torch.autograd.grad(compiled(x), x)[0], expected[1], atol=1e-4)


def test_inside_compiled_code_the_kernel_map_is_found_by_the_interpreter(monkeypatch):
    coords, compiling = random_voxels(20), []
    find = map_module._find_pairs

    def seen(*arguments):
        compiling.append(torch.compiler.is_compiling())
        return find(*arguments)

    def f(x):
        return (2 * x)[kernel_map(coords, coords, 3).source.long()].sum()

    x = torch.randn(20, 3)
    expected = f(x)
    monkeypatch.setattr(map_module, "_find_pairs", seen)
    compiled = torch.compile(f, backend="eager")
    assert torch.allclose(compiled(x), expected)
    assert torch.allclose(compiled(x), expected)
    assert compiling == [False, False]


@pytest.mark.parametrize("symmetric", [True, False])
def test_costs_a_product_for_each_real_pair(symmetric):
    coords = random_voxels(40)
    m = kernel_map(coords, coords, 3) if symmetric else kernel_map(coords, downsample(coords, 2), 2, 2)
    weight = torch.randn(len(m.counts), 4, 6, requires_grad=True)
    with FlopCounterMode(display=False) as counter:
        y = sparse_conv(torch.randn(40, 4, requires_grad=True), weight, m)
    assert counter.get_total_flops() == 2 * len(m.source) * 4 * 6
    with FlopCounterMode(display=False) as counter:
        y.sum().backward()
    assert counter.get_total_flops() == 2 * 2 * len(m.source) * 4 * 6
    listed = 4 * 2 * (len(m.source) - 40 * symmetric)
    plan = m.plan(False, 6)
    moved = backend.BYTES[OPS.sparse_conv](y, weight, len(y), plan, [], symmetric, False, out=y)
    assert moved == 4 * (2 * y.numel() + weight.numel()) + listed


def test_autocast_convolves_in_its_dtype():
    coords = random_voxels(20)
    m = kernel_map(coords, coords, 3)
    x, weight = torch.randn(20, 4, requires_grad=True), torch.randn(27, 4, 4, requires_grad=True)
    with torch.autocast("cpu", torch.float16):
        y = sparse_conv(x, weight, m)
    assert y.dtype is torch.float16
    assert all(g.dtype is torch.float32 for g in torch.autograd.grad(y.sum(), (x, weight)))


# ---------------------------------------------------------------------------------------- sentences


def test_bad_coordinates_get_one_sentence():
    coords = random_voxels(5)
    with pytest.raises(ValueError, match=r"coords must be \(V, 4\): batch, x, y, z; got \(5, 3\)"):
        kernel_map(coords[:, 1:], coords, 3)
    with pytest.raises(TypeError, match=r"coords must be integers, got torch\.float32; see occupied_voxels"):
        downsample(coords.float(), 2)
    twice = torch.cat([coords, coords[2:3]])
    with pytest.raises(ValueError, match=r"coords must be distinct, but rows 2 and 5 are both \(\d"):
        kernel_map(twice, twice, 3)
    with pytest.raises(ValueError, match="coords must be distinct"):
        find_voxels(twice, coords)
    with pytest.raises(ValueError, match=r"kernel_size must be positive, got 0"):
        kernel_map(coords, coords, 0)
    with pytest.raises(ValueError, match=r"stride must be positive, got \(1, 1, 0\)"):
        downsample(coords, (1, 1, 0))
    huge = torch.tensor([[0, 0, 0, 0], [2**30, 2**30, 2**30, 2**30]])
    with pytest.raises(ValueError, match="more than an int64 can count"):
        find_voxels(huge, huge)
    with pytest.raises(ValueError, match=r"points must be \(P, 4\): batch, x, y, z; got \(5, 3\)"):
        occupied_voxels(torch.zeros(5, 3))
    with pytest.raises(ValueError, match="points must be numbers that int32 can count, got nan to nan"):
        occupied_voxels(torch.full((1, 4), torch.nan))


def test_operands_that_do_not_fit_get_one_sentence():
    coords = random_voxels(5)
    m, weight = kernel_map(coords, coords, 3), torch.zeros(27, 4, 2)
    with pytest.raises(ValueError, match=r"x must be \(V, C\) with V=5 as the map has, got \(6, 4\)"):
        sparse_conv(torch.zeros(6, 4), weight, m)
    with pytest.raises(ValueError, match=r"weight must be \(K, C, D\) with K=27 .* C=3 .* got \(27, 4, 2\)"):
        sparse_conv(torch.zeros(5, 3), weight, m)
    with pytest.raises(TypeError, match=r"one floating dtype, got torch\.float64 and torch\.float32"):
        sparse_conv(torch.zeros(5, 4, dtype=torch.float64), weight, m)
    with pytest.raises(TypeError, match="x is on meta, weight on cpu, the map on cpu"):
        sparse_conv(torch.zeros(5, 4, device="meta"), weight, m)
    with pytest.raises(ValueError, match=r"features must be \(V, C\) with V=5, got \(4, 2\)"):
        SparseTensor(coords, torch.zeros(4, 2))
    with pytest.raises(ValueError, match=r"voxel \(.*\) lies outside of the grid of shape \(2, 2, 2, 2\)"):
        sparse_to_dense(coords, torch.zeros(5, 2), (2, 2, 2, 2))
    with pytest.raises(ValueError, match=r"shape must be \(N, X, Y, Z\), got \(2, 2\)"):
        sparse_to_dense(coords, torch.zeros(5, 2), (2, 2))
    with pytest.raises(ValueError, match="coords must be distinct"):
        sparse_to_dense(torch.zeros(2, 4, dtype=torch.int32), torch.zeros(2, 2), (1, 2, 2, 2))


def test_kernel_offsets_are_centred_where_they_can_be():
    assert list(kernel_offsets((1, 1, 3))) == [(0, 0, -1), (0, 0, 0), (0, 0, 1)]
    assert list(kernel_offsets((2, 1, 1), 3)) == [(0, 0, 0), (3, 0, 0)]
    assert list(kernel_offsets(3)) == list(itertools.product((-1, 0, 1), repeat=3))


def test_meta_tensors_are_refused_in_one_sentence():
    empty = torch.empty(3, dtype=torch.int32, device="meta")
    pairs = KernelMap(empty, empty, (3,), 5, 5)
    with pytest.raises(TypeError, match="meta tensors hold none"):
        sparse_conv(torch.zeros(5, 4, device="meta"), torch.zeros(1, 4, 2, device="meta"), pairs)


MOST, LEAST = 2**31 - 1, -(2**31)


def voxels(*rows):
    return torch.tensor(rows)  # int64


BEYOND = [
    voxels([0, 0, 0, 0], [0, 2**32 + 1, 0, 0]), voxels([0, 5 * 10**8, 5_600_000_000, 10**5]), voxels([2**32, 0, 0, 0]),
    voxels([0, 0, 0, LEAST - 1]), voxels([0, MOST + 1, 0, 0]), voxels([0, 2**63 - 1, -(2**63), 0]),
    torch.tensor([[0, 2**64 - 1, 0, 0]], dtype=torch.uint64), torch.tensor([[0, 2**32 - 1, 0, 0]], dtype=torch.uint32),
]  # fmt: skip


@pytest.mark.parametrize("coords", BEYOND, ids=str)
def test_coordinates_that_int32_cannot_count_sentence(coords):
    features, near = torch.ones(len(coords), 1), torch.zeros(1, 4, dtype=torch.int32)
    calls = [
        lambda: kernel_map(coords, coords, 3),
        lambda: kernel_map(near, coords, 3),
        lambda: SparseTensor(coords, features),
        lambda: downsample(coords, 2),
        lambda: reached_voxels(coords, 3),
        lambda: find_voxels(coords, near),
        lambda: sparse_to_dense(coords, features, (1, 2, 2, 2)),
        lambda: point_to_voxel(features[:1], near.float(), coords),
    ]
    for make in calls:
        with pytest.raises(ValueError, match=r"coords must be numbers that int32 can count, got"):
            make()


def test_voxels_are_sought_exactly_wherever_they_lie():
    """Neither a wanted voxel nor its distance to the box of the others wraps around."""
    coords = voxels([0, 5, 0, 0], [0, MOST, 0, 0], [0, -5, 0, 0]).int()
    wanted = voxels(
        [0, 5, 0, 0], [0, MOST, 0, 0], [0, 2**32 + 5, 0, 0], [2**32, 5, 0, 0], [0, LEAST, 0, 0], [0, -(2**63), 0, 0],
        [0, 2**63 - 1, 0, 0], [LEAST, LEAST, LEAST, LEAST], [0, MOST - 5, 0, 0],
    )  # fmt: skip
    assert find_voxels(coords, wanted).tolist() == [0, 1, *[-1] * 7]
    few = coords[[0, 2]]
    assert (
        find_voxels(few, voxels([0, MOST, 0, 0], [0, MOST - 4, 0, 0], [0, LEAST, 0, 0]).int()).tolist()
        == [-1] * 3
    )


def test_both_ends_of_int32_are_no_neighbours():
    ends = voxels([0, MOST, 0, 0], [0, LEAST, 0, 0], [0, MOST - 1, 0, 0])
    pairs = kernel_map(ends, ends, 3)
    assert sum(pairs.counts) == 3 + 2  # each with itself, and two with each other
    assert downsample(ends, 2).tolist() == [[0, LEAST // 2, 0, 0], [0, MOST // 2, 0, 0]]
    assert occupied_voxels(ends.double()).tolist() == [[0, LEAST, 0, 0], [0, MOST - 1, 0, 0], [0, MOST, 0, 0]]
    points = torch.tensor([[0, MOST + 0.5, 0, 0]], dtype=torch.float64)  # halfway to 2³¹, which is no voxel
    assert voxel_to_point(torch.tensor([[3.0], [7.0], [9.0]]), ends, points).item() == pytest.approx(3)


def test_reached_voxels_beyond_int32_sentence():
    end = voxels([0, MOST, 0, 0])
    with pytest.raises(ValueError, match="coords reach further than int32 can count"):
        reached_voxels(end, 3)
    with pytest.raises(ValueError, match="coords reach further than int32 can count"):
        reached_voxels(-end, (1, 1, 3), dilation=2**31)
    assert reached_voxels(end, (2, 1, 1)).tolist() == [
        [0, MOST - 1, 0, 0],
        [0, MOST, 0, 0],
    ]  # o + {0, 1} = MOST
    halves = reached_voxels(end, 3, 2)  # o · 2 + {−1, 0, 1} = MOST
    assert halves[:, 1].unique().tolist() == [MOST // 2, MOST // 2 + 1]
    far = reached_voxels(voxels([0, 5, 0, 0]), (1, 1, 3), dilation=2**30)
    assert far[:, 3].tolist() == [-(2**30), 0, 2**30]


def test_products_with_the_stride_do_not_wrap():
    coords, out = voxels([0, 0, 0, 0]), voxels([0, 2**30, 0, 0], [0, 0, 0, 0]).int()
    pairs = kernel_map(coords, out, 1, 4)  # 2³⁰ · 4 is not 0
    assert (pairs.counts, pairs.target.tolist()) == ((1,), [1])
    wide = kernel_map(voxels([0, MOST, 0, 0]), voxels([0, 1, 0, 0]), (2, 1, 1), MOST - 1)
    assert wide.counts == (0, 1)  # 1 · (MOST − 1) + 1
    assert downsample(voxels([0, 5, 0, 0], [0, -5, 0, 0]), 2**40).tolist() == [[0, -1, -0, 0], [0, 0, 0, 0]]


@pytest.mark.parametrize("name", ["kernel_size", "stride", "dilation"])
def test_sizes_of_another_form_sentence(name):
    coords = voxels([0, 0, 0, 0], [0, 1, 0, 0])

    def pairs(size):
        return kernel_map(coords, coords, **{"kernel_size": 3, name: size}).counts

    for same in (np.int64(3), torch.tensor(3), [3, 3, 3], np.array([3, 3, 3]), torch.tensor([3, 3, 3])):
        assert pairs(same) == pairs(3)
    for size in ((3, 3), [3], (3, 3, 3, 3)):
        with pytest.raises(ValueError, match=rf"{name} must be one number, or three for x, y and z; got"):
            pairs(size)
    for size in (3.0, (3, 3.0, 3), None, np.float32(3)):
        with pytest.raises(TypeError, match=rf"{name} must be a whole number, got"):
            pairs(size)
    for size in (0, (1, -1, 1)):
        with pytest.raises(ValueError, match=rf"{name} must be positive"):
            pairs(size)
