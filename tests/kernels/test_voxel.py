"""Voxelize and devoxelize: values against explicit loops and grid_sample, laws, registration, sentences.

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

from efficientlab.kernels import avg_voxelize, backend, normalize_to_grid, trilinear_devoxelize

OPS = torch.ops.efficientlab
INTERPRETED = os.environ.get("EFFICIENTLAB_KERNELS") == "triton"
slow = pytest.mark.skipif(INTERPRETED, reason="thousands of launches: checked on PyTorch alone")
few = settings(max_examples=4 if INTERPRETED else 20, deadline=None)


def voxelize_by_loops(features, coords, resolution):
    n, channels, points = features.shape
    sums = torch.zeros(n, channels, *[resolution] * 3, dtype=torch.float64)
    count = torch.zeros(n, 1, *[resolution] * 3, dtype=torch.float64)
    for i, p in itertools.product(range(n), range(points)):
        x, y, z = coords[i, :, p].round().int().tolist()
        sums[i, :, x, y, z] += features[i, :, p]
        count[i, :, x, y, z] += 1
    return sums / count.clamp(min=1)


def devoxelize_by_loops(voxels, coords):
    n, channels, resolution = voxels.shape[:3]
    out = torch.zeros(n, channels, coords.shape[2], dtype=torch.float64)
    for i, p in itertools.product(range(n), range(coords.shape[2])):
        for corner in itertools.product(range(resolution), repeat=3):
            weight = 1.0
            for axis in range(3):
                weight *= max(0.0, 1 - abs(coords[i, axis, p].item() - corner[axis]))
            out[i, :, p] += weight * voxels[i, :, *corner]
    return out


@st.composite
def cases(draw):
    """(features, coords, resolution) in float64; some points lie on voxels, many share one."""
    n, channels = draw(st.integers(1, 2)), draw(st.integers(1, 6))
    points, resolution = draw(st.integers(0, 12)), draw(st.integers(1, 4))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**31)))
    coords = torch.rand(n, 3, points, dtype=torch.float64, generator=generator) * (resolution - 1)
    if draw(st.booleans()):
        coords = coords.round()
    features = torch.randn(n, channels, points, dtype=torch.float64, generator=generator)
    if draw(st.booleans()):
        features = features.transpose(1, 2).contiguous().transpose(1, 2)
    return features, coords, resolution


def grid(n, channels, resolution, dtype=torch.float64):
    return torch.randn(n, channels, *[resolution] * 3, dtype=dtype)


# ------------------------------------------------------------------------------------------- values


@few
@given(cases())
def test_voxelize_equals_the_definition_and_leaves_its_inputs_alone(case):
    features, coords, resolution = case
    before = features.clone(), coords.clone()
    voxels = avg_voxelize(features, coords, resolution)
    assert torch.allclose(voxels, voxelize_by_loops(features, coords, resolution), atol=1e-12)
    assert torch.equal(features, before[0]) and torch.equal(coords, before[1])


@few
@given(cases())
def test_devoxelize_equals_the_definition_and_leaves_its_inputs_alone(case):
    features, coords, resolution = case
    voxels = grid(*features.shape[:2], resolution)
    before = voxels.clone(), coords.clone()
    points = trilinear_devoxelize(voxels, coords)
    assert torch.allclose(points, devoxelize_by_loops(voxels, coords), atol=1e-12)
    assert torch.equal(voxels, before[0]) and torch.equal(coords, before[1])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_devoxelize_equals_grid_sample_with_aligned_corners(dtype):
    voxels, coords = grid(2, 5, 6, dtype), torch.rand(2, 3, 40, dtype=dtype) * 5
    at = (coords.transpose(1, 2).flip(2) / 5 * 2 - 1)[:, :, None, None]  # z is grid_sample's first
    expected = F.grid_sample(voxels, at, align_corners=True, padding_mode="border")[..., 0, 0]
    assert torch.allclose(trilinear_devoxelize(voxels, coords), expected, atol=5e-6)


def test_a_cloud_by_hand():
    coords = torch.tensor([[[0.0, 0.4, 1.0], [0.0, 0.0, 1.0], [1.0, 1.0, 0.0]]])
    features = torch.tensor([[[1.0, 3.0, 5.0]]])
    voxels = avg_voxelize(features, coords, 2)
    assert voxels[0, 0].tolist() == [[[0, 2], [0, 0]], [[0, 0], [5, 0]]]
    between = torch.tensor([[[0.5], [0.5], [0.5]]])
    assert trilinear_devoxelize(voxels, between).item() == 7 / 8


def test_halves_round_to_even():
    coords = torch.tensor([[[0.5, 1.5, 2.5], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]])
    voxels = avg_voxelize(torch.ones(1, 1, 3), coords, 4)
    assert voxels[0, 0, :, 0, 0].tolist() == [1, 0, 1, 0]


def test_integer_coordinates_name_voxels():
    coords = torch.tensor([[[0, 2], [1, 0], [2, 2]]])
    features = torch.randn(1, 3, 2)
    voxels = avg_voxelize(features, coords, 3)
    assert torch.equal(voxels, avg_voxelize(features, coords.double(), 3))
    assert torch.equal(trilinear_devoxelize(voxels, coords), features)


def test_a_missing_neighbour_is_not_read():
    voxels = torch.full((1, 1, 2, 2, 2), torch.nan)
    voxels[0, 0, 1, 0, 1] = 3
    assert trilinear_devoxelize(voxels, torch.tensor([[[1.0], [0.0], [1.0]]])).item() == 3


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32])
def test_half_precision_sums_in_float32(dtype):
    features = torch.randn(2, 9, 300).to(dtype)
    coords = torch.rand(2, 3, 300) * 2
    voxels = avg_voxelize(features, coords, 3)
    expected = voxelize_by_loops(features.double(), coords, 3)
    tolerance = {torch.float16: 1e-3, torch.float32: 1e-6}[dtype]
    assert voxels.dtype is dtype and torch.allclose(voxels.double(), expected, atol=tolerance)
    points = trilinear_devoxelize(voxels, coords)
    expected = devoxelize_by_loops(voxels.double(), coords[:, :, :5])
    assert points.dtype is dtype and torch.allclose(points[:, :, :5].double(), expected, atol=2 * tolerance)


def test_any_strides():
    features = torch.randn(4, 3, 4).double().permute(1, 2, 0)[:, ::2]
    coords = torch.rand(4, 3, 3).double().permute(1, 2, 0) * 2
    voxels = avg_voxelize(features, coords, 3)
    assert torch.allclose(voxels, voxelize_by_loops(features, coords, 3), atol=1e-12)
    voxels = torch.randn(3, 3, 3, 4, 3).double().permute(4, 3, 0, 1, 2)[:, ::2]
    assert torch.allclose(
        trilinear_devoxelize(voxels, coords), devoxelize_by_loops(voxels, coords), atol=1e-12
    )


def test_more_channels_than_one_tile():
    features, coords = torch.randn(1, 150, 7, dtype=torch.float64), torch.rand(1, 3, 7) * 2
    voxels = avg_voxelize(features, coords, 3)
    assert torch.allclose(voxels, voxelize_by_loops(features, coords, 3), atol=1e-12)
    assert torch.allclose(
        trilinear_devoxelize(voxels, coords), devoxelize_by_loops(voxels, coords), atol=1e-12
    )


def test_results_keep_the_channels_of_a_place_together():
    features, coords = torch.randn(2, 4, 10), torch.rand(2, 3, 10) * 4
    voxels = avg_voxelize(features, coords, 5)
    assert voxels.is_contiguous(memory_format=torch.channels_last_3d)
    assert trilinear_devoxelize(voxels, coords).transpose(1, 2).is_contiguous()


@pytest.mark.parametrize(("n", "points"), [(0, 5), (2, 0)])
def test_nothing_in_nothing_out(n, points):
    coords = torch.zeros(n, 3, points)
    assert normalize_to_grid(coords, 3).shape == coords.shape
    assert not avg_voxelize(torch.ones(n, 4, points), coords, 3).any()
    assert trilinear_devoxelize(torch.ones(n, 4, 3, 3, 3), coords).shape == (n, 4, points)


def test_results_are_the_same_bits_every_time():
    features, coords = torch.randn(2, 8, 400), torch.rand(2, 3, 400)
    first = avg_voxelize(features, coords, 2)
    assert all(torch.equal(avg_voxelize(features, coords, 2), first) for _ in range(3))


# --------------------------------------------------------------------------------------------- laws


@few
@given(cases())
def test_the_order_of_the_points_does_not_matter(case):
    features, coords, resolution = case
    order = torch.randperm(coords.shape[2])
    voxels = avg_voxelize(features, coords, resolution)
    permuted = avg_voxelize(features[:, :, order], coords[:, :, order], resolution)
    assert torch.allclose(voxels, permuted, atol=1e-12)
    points = trilinear_devoxelize(voxels, coords)
    assert torch.equal(trilinear_devoxelize(voxels, coords[:, :, order]), points[:, :, order])


@few
@given(cases())
def test_moving_points_by_one_voxel_moves_the_grid(case):
    features, coords, resolution = case
    here, moved = coords.round(), coords.round() + 1
    wide = avg_voxelize(features, moved, resolution + 1)
    assert torch.allclose(
        wide[..., 1:, 1:, 1:], avg_voxelize(features, here, resolution + 1)[..., :-1, :-1, :-1], atol=1e-12
    )


@few
@given(cases())
def test_a_constant_field_stays_constant(case):
    features, coords, resolution = case
    voxels = torch.full((*features.shape[:2], *[resolution] * 3), 3.0, dtype=torch.float64)
    points = trilinear_devoxelize(voxels, coords)
    assert torch.allclose(points, torch.full_like(points, 3.0), atol=1e-12)


@few
@given(cases())
def test_clouds_of_a_batch_never_mix(case):
    features, coords, resolution = case
    voxels = avg_voxelize(features, coords, resolution)
    points = trilinear_devoxelize(voxels, coords)
    for i in range(len(features)):
        alone = avg_voxelize(features[i : i + 1], coords[i : i + 1], resolution)
        assert torch.equal(voxels[i], alone[0])
        assert torch.equal(points[i], trilinear_devoxelize(alone, coords[i : i + 1])[0])


@few
@given(cases())
def test_gradients_are_the_adjoints(case):
    """<A x, y> = <x, Aᵀ y> for both ops."""
    features, coords, resolution = case
    for op, x in (
        (lambda x: avg_voxelize(x, coords, resolution), features.clone()),
        (lambda x: trilinear_devoxelize(x, coords), grid(*features.shape[:2], resolution)),
    ):
        forward = op(x.requires_grad_())
        y = torch.randn_like(forward)
        (adjoint,) = torch.autograd.grad(forward, x, y)
        assert torch.allclose((forward * y).sum(), (x * adjoint).sum(), atol=1e-10)


# ------------------------------------------------------------------------------------ normalization


def test_normalization_equals_its_formula():
    points = torch.randn(2, 3, 50, dtype=torch.float64) * 7 + 3
    for i, cloud in enumerate(points):
        centred = cloud - cloud.mean(1, keepdim=True)
        reach = max(centred[:, p].square().sum().sqrt().item() for p in range(50))
        expected = ((centred / (2 * reach + 0.1) + 0.5) * 8).clamp(0, 7)
        assert torch.allclose(normalize_to_grid(points, 8, eps=0.1)[i], expected, atol=1e-12)


def test_normalization_forgets_place_and_size():
    points = torch.randn(2, 3, 50, dtype=torch.float64)
    assert torch.allclose(normalize_to_grid(points, 16), normalize_to_grid(5 * points - 2, 16), atol=1e-9)


def test_coinciding_points_land_in_the_middle():
    assert torch.equal(normalize_to_grid(torch.full((1, 3, 4), 2.0), 8), torch.full((1, 3, 4), 4.0))


# ------------------------------------------------------------------------------------- registration


@slow
def test_gradcheck():
    features = torch.randn(2, 2, 4, dtype=torch.float64, requires_grad=True)
    voxels = grid(2, 1, 2).requires_grad_()
    coords = torch.rand(2, 3, 4, dtype=torch.float64)
    for check in (torch.autograd.gradcheck, torch.autograd.gradgradcheck):
        assert check(lambda x: avg_voxelize(x, coords, 2), features)
        assert check(lambda x: trilinear_devoxelize(x, coords), voxels)


@pytest.mark.slow
@slow
def test_opcheck():
    coords = torch.rand(2, 3, 5) * 2
    opcheck(OPS.nearest_voxel, (coords, 3))
    opcheck(OPS.trilinear_corners, (coords, 3))
    index, weight = torch.randint(0, 7, (6, 4), dtype=torch.int32), torch.randn(6, 4)
    opcheck(OPS.weighted_gather, (torch.randn(7, 3, requires_grad=True), index, weight))
    opcheck(OPS.weighted_scatter, (torch.randn(6, 3, requires_grad=True), index, weight, 7))


@pytest.mark.slow
def test_compile_makes_one_graph_with_the_same_values_and_gradients():
    features, coords = torch.randn(2, 4, 9, requires_grad=True), torch.rand(2, 3, 9) * 3

    def f(features):
        voxels = avg_voxelize(features.relu(), coords, 4)
        return (trilinear_devoxelize(voxels.exp(), coords) * features).sum()

    compiled = torch.compile(f, fullgraph=True, backend="aot_eager")
    expected, got = (torch.autograd.grad(g(features), features)[0] for g in (f, compiled))
    assert torch.allclose(compiled(features), f(features))
    assert torch.allclose(got, expected, atol=1e-6)


def test_costs_a_mac_for_each_corner_and_channel():
    features, coords = torch.randn(2, 4, 9, requires_grad=True), torch.rand(2, 3, 9) * 3
    with FlopCounterMode(display=False) as counter:
        voxels = avg_voxelize(features, coords, 4)
    assert counter.get_total_flops() == 2 * (2 * 9 * 4)
    with FlopCounterMode(display=False) as counter:
        points = trilinear_devoxelize(voxels, coords)
        points.sum().backward()
    assert counter.get_total_flops() == 2 * (8 + 8 + 1) * (2 * 9 * 4)  # devoxelize, its gradient, voxelize's


def test_bytes():
    index, weight = torch.zeros(6, 4, dtype=torch.int32), torch.zeros(6, 4)
    many, few_rows, y = torch.zeros(100, 3), torch.zeros(5, 3), torch.zeros(6, 3)
    gathered = backend.BYTES[OPS.weighted_gather]
    assert gathered(many, index, weight, out=y) == 4 * (24 * 3 + 24 + 24 + 18)  # no more than it reads
    assert gathered(few_rows, index, weight, out=y) == 4 * (5 * 3 + 24 + 24 + 18)  # each row once
    assert backend.BYTES[OPS.weighted_scatter](y, index, weight, 100, out=many) == 4 * (18 + 48 + 300)


def test_autocast_leaves_the_dtype_alone():
    with torch.autocast("cpu", torch.bfloat16):
        voxels = avg_voxelize(torch.randn(1, 2, 3), torch.zeros(1, 3, 3), 2)
        assert trilinear_devoxelize(voxels, torch.zeros(1, 3, 3)).dtype is torch.float32


# ---------------------------------------------------------------------------------------- sentences


@pytest.mark.parametrize(
    ("features", "coords", "resolution", "sentence"),
    [
        ((2, 4), (2, 3, 5), 4, r"features must be \(N, C, P\), got \(2, 4\)"),
        ((2, 4, 5), (2, 5, 3), 4, r"coords must be \(N, 3, P\), got \(2, 5, 3\)"),
        ((2, 4, 5), (3, 3, 5), 4, "features are a batch of 2, coords of 3"),
        ((2, 4, 5), (2, 3, 6), 4, "features hold 5 points, coords 6"),
        ((2, 4, 5), (2, 3, 5), 0, "resolution must be at least 1, got 0"),
        ((2, 4, 5), (2, 3, 5), 1024, "2 grids of 1024³ voxels are more than the 2³¹"),
    ],
)
def test_wrong_shapes_get_one_sentence(features, coords, resolution, sentence):
    with pytest.raises(ValueError, match=sentence):
        avg_voxelize(torch.zeros(features), torch.zeros(coords), resolution)


@pytest.mark.parametrize(
    ("value", "range_"), [(-0.6, "-0.6 to 0"), (3.01, "0 to 3.01"), (torch.nan, "nan to nan")]
)
def test_coordinates_outside_of_the_grid_get_one_sentence(value, range_):
    coords = torch.zeros(1, 3, 4)
    coords[0, 1, 2] = value
    sentence = rf"coords must lie in \[0, 3\] for resolution 4, got {range_}; see normalize_to_grid"
    with pytest.raises(ValueError, match=sentence):
        avg_voxelize(torch.ones(1, 2, 4), coords, 4)
    with pytest.raises(ValueError, match=sentence):
        trilinear_devoxelize(torch.ones(1, 2, 4, 4, 4), coords)


def test_other_bad_arguments_get_one_sentence():
    coords = torch.zeros(1, 3, 4)
    with pytest.raises(ValueError, match=r"voxels must be \(N, C, R, R, R\), got \(1, 2, 3, 3, 4\)"):
        trilinear_devoxelize(torch.zeros(1, 2, 3, 3, 4), coords)
    with pytest.raises(TypeError, match=r"features must be real, got torch\.int64"):
        avg_voxelize(torch.zeros(1, 2, 4, dtype=torch.int64), coords, 3)
    with pytest.raises(TypeError, match="voxels are on meta, coords on cpu"):
        trilinear_devoxelize(torch.zeros(1, 2, 3, 3, 3, device="meta"), coords)
    with pytest.raises(TypeError, match=r"points must be real, got torch\.int64"):
        normalize_to_grid(torch.zeros(1, 3, 4, dtype=torch.int64), 3)
    with pytest.raises(ValueError, match="points hold NaN or infinity"):
        normalize_to_grid(torch.full((1, 3, 4), torch.inf), 3)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize("scale", [1.0, 3e4, 1e-7, 1e30, 3e38, 1e-30, 0.0])
def test_normalisation_of_clouds_of_any_size(dtype, scale):
    """Norms and sums that overflow or vanish in the clouds' own dtype do not move a point."""
    if scale > torch.finfo(dtype).max or 0 < scale < torch.finfo(dtype).tiny:
        pytest.skip("the dtype has no such numbers")
    rng = torch.Generator().manual_seed(0)
    cloud = torch.randn(2, 3, 200, generator=rng, dtype=torch.float64).clamp(-0.99, 0.99)
    cloud = (cloud * scale).to(dtype)
    q = cloud.double() - cloud.double().mean(2, keepdim=True)
    diameter = 2 * (q / max(scale, 1e-300)).norm(dim=1, keepdim=True).amax(2, keepdim=True)
    expected = ((torch.where(diameter > 0, q / max(scale, 1e-300) / diameter, 0.0) + 0.5) * 32).clamp(0, 31)
    grid = normalize_to_grid(cloud, 32)
    assert grid.dtype is torch.promote_types(dtype, torch.float32)
    assert (grid.double() - expected).abs().max() < (1e-12 if dtype is torch.float64 and scale == 1 else 1e-4)
    avg_voxelize(torch.ones(2, 1, 200, dtype=dtype), grid, 32)


def test_eps_is_in_the_unit_of_the_points():
    cloud = torch.tensor([[[1e20, -1e20], [0.0, 0.0], [0.0, 0.0]]])
    assert normalize_to_grid(cloud, 4, eps=2e20)[0, 0].tolist() == [3.0, 1.0]


def test_resolutions_are_whole_sentence():
    points = torch.rand(1, 3, 5)
    assert normalize_to_grid(points, np.int64(4)).shape == (1, 3, 5)
    for resolution in (4.0, (4, 4), None):
        with pytest.raises(TypeError, match="resolution must be a whole number"):
            normalize_to_grid(points, resolution)
        with pytest.raises(TypeError, match="resolution must be a whole number"):
            avg_voxelize(points, points, resolution)
