"""Points and occupied voxels: values against explicit loops, laws, gradients, sentences.

The whole file also runs on the Triton kernels, in Triton's interpreter: see test_triton_interpreter.py.
"""

import itertools
import os

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from efficientlab.kernels import find_voxels, occupied_voxels, point_to_voxel, voxel_to_point

INTERPRETED = os.environ.get("EFFICIENTLAB_KERNELS") == "triton"
slow = pytest.mark.skipif(INTERPRETED, reason="thousands of launches: checked on PyTorch alone")
few = settings(max_examples=4 if INTERPRETED else 20, deadline=None)


def point_to_voxel_by_loops(features, points, coords):
    out = torch.zeros(len(coords), features.shape[1], dtype=torch.float64)
    for v, voxel in enumerate(coords.tolist()):
        inside = [p for p, point in enumerate(points.floor().tolist()) if point == voxel]
        if inside:
            out[v] = features[inside].double().mean(0)
    return out


def voxel_to_point_by_loops(features, coords, points):
    where = {tuple(row): i for i, row in enumerate(coords.tolist())}
    out = torch.zeros(len(points), features.shape[1], dtype=torch.float64)
    for p, (b, *place) in enumerate(points.double().tolist()):
        total, low = 0.0, [int(a // 1) for a in place]
        for step in itertools.product((0, 1), repeat=3):
            corner = [a + s for a, s in zip(low, step, strict=True)]
            weight = 1.0
            for a, c in zip(place, corner, strict=True):
                weight *= 1 - abs(a - c)
            if (int(b), *corner) in where:
                total += weight
                out[p] += weight * features[where[int(b), *corner]].double()
        out[p] /= total + 1e-8
    return out


@st.composite
def clouds(draw):
    """(points, coords): some points have no voxel, some voxels no point, in any order."""
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**31)))
    n = draw(st.integers(0, 25))
    points = torch.rand(n, 4, generator=generator, dtype=torch.float64) * torch.tensor([2, 3, 3, 3]) - 1
    points[:, 0] = points[:, 0].floor()
    if draw(st.booleans()):
        points = points.round()
    coords = torch.cat([occupied_voxels(points[::2]), torch.tensor([[7, 7, 7, 7]], dtype=torch.int32)])
    return points, coords[torch.randperm(len(coords), generator=generator)]


@few
@given(clouds())
def test_both_equal_their_definitions_and_leave_their_inputs_alone(cloud):
    points, coords = cloud
    features, voxels = torch.randn(len(points), 3).double(), torch.randn(len(coords), 3).double()
    before = points.clone(), coords.clone(), features.clone(), voxels.clone()
    got = point_to_voxel(features, points, coords), voxel_to_point(voxels, coords, points)
    assert torch.allclose(got[0], point_to_voxel_by_loops(features, points, coords), atol=1e-12)
    assert torch.allclose(got[1], voxel_to_point_by_loops(voxels, coords, points), atol=1e-12)
    for a, b in zip(before, (points, coords, features, voxels), strict=True):
        assert torch.equal(a, b)


def test_a_missing_voxel_does_not_pollute_the_first():
    coords = torch.tensor([[0, 0, 0, 0]])
    points = torch.tensor([[0.0, 0.5, 0.5, 0.5], [0.0, 9.0, 9.0, 9.0]])
    features = torch.tensor([[1.0], [100.0]])
    assert point_to_voxel(features, points, coords).tolist() == [[1.0]]


def test_missing_corners_leave_their_weight_to_the_others():
    coords = torch.tensor([[0, 0, 0, 0], [0, 1, 0, 0]])
    x = torch.tensor([[2.0], [4.0]])
    points = torch.tensor([[0, 0.25, 0.5, 0.5], [0, 1.5, 0, 0], [0, 3, 3, 3]])
    expected = torch.tensor([[2.5], [4.0], [0.0]])
    assert torch.allclose(voxel_to_point(x, coords, points), expected, atol=1e-6)


@few
@given(clouds())
def test_there_and_back_at_the_voxels_own_coordinates(cloud):
    points, _ = cloud
    coords = occupied_voxels(points)
    voxels = torch.randn(len(coords), 2, dtype=torch.float64)
    assert torch.allclose(voxel_to_point(voxels, coords, coords.double()), voxels, atol=1e-7)
    assert torch.equal(point_to_voxel(voxels, coords.double(), coords), voxels)


@few
@given(clouds())
def test_the_order_of_points_and_voxels_does_not_matter(cloud):
    points, coords = cloud
    features = torch.randn(len(points), 3, dtype=torch.float64)
    p, v = torch.randperm(len(points)), torch.randperm(len(coords))
    voxels = point_to_voxel(features, points, coords)
    assert torch.allclose(point_to_voxel(features[p], points[p], coords[v]), voxels[v], atol=1e-12)
    back = voxel_to_point(voxels, coords, points)
    assert torch.allclose(voxel_to_point(voxels[v], coords[v], points[p]), back[p], atol=1e-12)


@slow
def test_gradcheck():
    points = torch.rand(6, 4, dtype=torch.float64) * torch.tensor([1, 2, 2, 2])
    coords = occupied_voxels(points)
    features = torch.randn(6, 2, dtype=torch.float64, requires_grad=True)
    voxels = torch.randn(len(coords), 2, dtype=torch.float64, requires_grad=True)
    for check in (torch.autograd.gradcheck, torch.autograd.gradgradcheck):
        assert check(lambda f: point_to_voxel(f, points, coords), features)
        assert check(lambda x: voxel_to_point(x, coords, points), voxels)


@pytest.mark.slow
def test_compile_makes_one_graph():
    points = torch.rand(20, 4) * torch.tensor([1, 3, 3, 3])
    coords = occupied_voxels(points)

    def f(features):
        return voxel_to_point(point_to_voxel(features, points, coords).relu(), coords, points)

    x = torch.randn(20, 3)
    assert torch.allclose(torch.compile(f, fullgraph=True, backend="aot_eager")(x), f(x))


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32])
def test_lower_precisions_keep_their_dtype(dtype):
    points = torch.rand(50, 4) * torch.tensor([1, 3, 3, 3])
    coords = occupied_voxels(points)
    features = torch.randn(50, 4).to(dtype)
    voxels = point_to_voxel(features, points, coords)
    tolerance = {torch.float16: 2e-3, torch.float32: 1e-6}[dtype]
    assert voxels.dtype is dtype
    assert torch.allclose(voxels.double(), point_to_voxel_by_loops(features, points, coords), atol=tolerance)
    back = voxel_to_point(voxels, coords, points)
    assert back.dtype is dtype
    assert torch.allclose(back.double(), voxel_to_point_by_loops(voxels, coords, points), atol=tolerance)


def test_any_strides():
    points = (torch.rand(4, 20, dtype=torch.float64) * 3).mT
    points[:, 0] = 0
    coords = occupied_voxels(points).T.contiguous().T
    features, voxels = torch.randn(3, 20).double().mT, torch.randn(6, len(coords)).double().mT[:, ::2]
    got = point_to_voxel(features, points, coords), voxel_to_point(voxels, coords, points)
    assert torch.allclose(got[0], point_to_voxel_by_loops(features, points, coords), atol=1e-12)
    assert torch.allclose(got[1], voxel_to_point_by_loops(voxels, coords, points), atol=1e-12)


def test_bad_arguments_get_one_sentence():
    points, coords = torch.zeros(3, 4), torch.zeros(1, 4, dtype=torch.int32)
    with pytest.raises(ValueError, match=r"features must be \(rows, C\) with 3 rows, got \(2, 5\)"):
        point_to_voxel(torch.zeros(2, 5), points, coords)
    with pytest.raises(ValueError, match=r"features must be \(rows, C\) with 1 rows, got \(3, 5\)"):
        voxel_to_point(torch.zeros(3, 5), coords, points)
    with pytest.raises(ValueError, match=r"points must be \(P, 4\)"):
        point_to_voxel(torch.zeros(3, 5), points[:, 1:], coords)
    with pytest.raises(TypeError, match=r"features must be real, got torch\.int64"):
        point_to_voxel(torch.zeros(3, 5, dtype=torch.int64), points, coords)
    with pytest.raises(ValueError, match="points must be numbers that int32 can count, got nan to nan"):
        voxel_to_point(torch.zeros(1, 5), coords, points * torch.nan)


def test_corners_are_the_eight_voxels_one_by_one():
    from efficientlab.kernels.sparse.coords import find_corners

    generator = torch.Generator().manual_seed(0)
    coords = torch.randint(-4, 4, (120, 4), generator=generator)
    coords[:, 0] %= 3
    coords = coords.unique(dim=0)
    lower = torch.randint(-7, 7, (300, 4), generator=generator)
    lower = torch.cat([lower, coords, torch.tensor([[0, 2**30, 0, 0], [0, -(2**30), 3, 3]])])
    steps = torch.tensor([[0, x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)])
    for order in (torch.arange(len(coords)), torch.randperm(len(coords), generator=generator)):
        voxels = coords[order].int()
        wanted = find_voxels(voxels, (lower[:, None] + steps).flatten(0, 1)).view(-1, 8)
        assert torch.equal(find_corners(voxels, lower), wanted)
    nothing = torch.empty(0, 4, dtype=torch.int32)
    assert (find_corners(nothing, lower) == -1).all()
    assert find_corners(coords, nothing).shape == (0, 8)


def test_a_nan_reaches_only_points_beside_it():
    coords = torch.tensor([[0, 0, 0, 0], [0, 5, 5, 5], [0, 5, 5, 6]], dtype=torch.int32)
    features = torch.tensor([[torch.nan], [2.0], [torch.inf]], requires_grad=True)
    alone, on_a_voxel, elsewhere, beside = (
        [0, 5.5, 5.5, 4.5],
        [0, 5.0, 5, 5],
        [0, 9.0, 9, 9],
        [0, 0.0, 0, 0.5],
    )
    out = voxel_to_point(features, coords, torch.tensor([alone, on_a_voxel, elsewhere, beside]))
    torch.testing.assert_close(out[:3, 0], torch.tensor([2.0, 2.0, 0.0]))
    assert out[3].isnan()
    (grad,) = torch.autograd.grad(out[:3].sum(), features)
    torch.testing.assert_close(grad[:, 0], torch.tensor([0.0, 2.0, 0.0]))


def test_points_are_real_numbers():
    coords = torch.zeros(1, 4, dtype=torch.int32)
    for points in (torch.zeros(2, 4, dtype=torch.bool), torch.zeros(2, 4, dtype=torch.complex64)):
        for call in (
            lambda points=points: occupied_voxels(points),
            lambda points=points: voxel_to_point(torch.zeros(1, 2), coords, points),
            lambda points=points: point_to_voxel(torch.zeros(2, 2), points, coords),
        ):
            with pytest.raises(TypeError, match="points must be real numbers, got torch"):
                call()
    for dtype in (torch.uint8, torch.uint16, torch.uint32, torch.uint64, torch.int64):
        points = torch.tensor([[0, 7, 8, 9]]).to(dtype)
        assert occupied_voxels(points).tolist() == [[0, 7, 8, 9]]
    with pytest.raises(ValueError, match="points must be numbers that int32 can count"):
        occupied_voxels(torch.tensor([[0, 2**31, 0, 0]]))
