"""Sparse convolution on a GPU, in both dataflows, against the CPU's results in float64."""

import pytest
import torch

from efficientlab.kernels import (
    downsample,
    find_voxels,
    kernel_map,
    occupied_voxels,
    point_to_voxel,
    reached_voxels,
    sparse,
    sparse_conv,
    voxel_to_point,
)

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]


def cloud(n=4000):
    points = torch.randn(n, 4, generator=torch.Generator().manual_seed(0)) * 6
    points[:, 0] = torch.arange(n) % 2
    return points


@pytest.mark.parametrize("kind", ["submanifold", "strided", "generalised"])
@pytest.mark.parametrize("shuffled", [False, True])
def test_maps_equal_the_cpu_s(kind, shuffled):
    coords = occupied_voxels(cloud())
    if shuffled:
        coords = coords[torch.randperm(len(coords))]
    size, stride = (3, 1) if kind == "submanifold" else (2, 2)
    out = {"submanifold": lambda c: c, "strided": lambda c: downsample(c, 2)}.get(
        kind, lambda c: reached_voxels(c, size, stride)
    )
    here, there = coords, coords.cuda()
    one, other = kernel_map(here, out(here), size, stride), kernel_map(there, out(there), size, stride)
    for a, b in ((one, other), (one.T, other.T)):
        assert a.counts == b.counts
        assert torch.equal(a.source, b.source.cpu()) and torch.equal(a.target, b.target.cpu())
    wanted = coords + 1
    assert torch.equal(find_voxels(here, wanted), find_voxels(there, wanted.cuda()).cpu())


@pytest.mark.parametrize("masked", [True, False])  # False: the dataflow of T4
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float16, 5e-3), (torch.float32, 1e-5)])
@pytest.mark.parametrize(("c", "d"), [(64, 64), (4, 40), (130, 32)])
@pytest.mark.parametrize("kind", ["submanifold", "strided", "transposed"])
def test_convolution_equals_float64_with_gradients(kind, c, d, dtype, tolerance, masked, monkeypatch):
    if masked and torch.cuda.get_device_capability() < (8, 0):
        pytest.skip("this GPU has no masked dataflow")
    monkeypatch.setattr(sparse, "_masked_on", lambda x: masked and x.is_cuda)
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)
    coords = occupied_voxels(cloud())

    def map_on(device):
        here = coords.to(device)
        if kind == "submanifold":
            return kernel_map(here, here, 3)
        m = kernel_map(here, downsample(here, 2), 2, 2)
        return m.T if kind == "transposed" else m

    m = map_on("cpu")
    x, weight = torch.randn(m.n_sources, c), torch.randn(len(m.counts), c, d) / c**0.5
    gpu = [t.to("cuda", dtype).requires_grad_() for t in (x, weight)]
    cpu = [t.detach().cpu().double().requires_grad_() for t in gpu]
    y, expected = sparse_conv(*gpu, map_on("cuda")), sparse_conv(*cpu, m)
    assert torch.allclose(y.cpu().double(), expected, atol=tolerance * float(expected.abs().max()))
    grad = torch.randn(expected.shape).to(dtype)
    got = torch.autograd.grad(y, gpu, grad.cuda())
    for a, b in zip(got, torch.autograd.grad(expected, cpu, grad.double()), strict=True):
        assert torch.allclose(a.cpu().double(), b, atol=tolerance * float(b.abs().max()))
    assert torch.equal(sparse_conv(*gpu, map_on("cuda")), y)


def test_points_and_voxels_equal_the_cpu_s():
    points = cloud()
    coords = occupied_voxels(points)
    features, voxels = torch.randn(len(points), 20), torch.randn(len(coords), 20)
    got = point_to_voxel(features.cuda(), points.cuda(), coords.cuda())
    assert torch.allclose(got.cpu(), point_to_voxel(features, points, coords), atol=1e-5)
    got = voxel_to_point(voxels.cuda(), coords.cuda(), points.cuda())
    assert torch.allclose(got.cpu(), voxel_to_point(voxels, coords, points), atol=1e-5)


def test_autocast():
    coords = occupied_voxels(cloud()).cuda()
    m = kernel_map(coords, coords, 3)
    x, weight = torch.randn(len(coords), 8, device="cuda"), torch.randn(27, 8, 8, device="cuda")
    with torch.autocast("cuda", torch.float16):
        assert sparse_conv(x, weight, m).dtype is torch.float16


def test_compile_with_inductor():
    coords = occupied_voxels(cloud()).cuda()
    m = kernel_map(coords, coords, 3)
    x = torch.randn(len(coords), 16, device="cuda", requires_grad=True)
    weight = torch.randn(27, 16, 16, device="cuda", requires_grad=True)

    def f(x, weight):
        return sparse_conv(sparse_conv(x, weight, m).relu(), weight, m).square().mean()

    expected = torch.autograd.grad(f(x, weight), (x, weight))
    got = torch.autograd.grad(torch.compile(f, fullgraph=True)(x, weight), (x, weight))
    for a, b in zip(got, expected, strict=True):
        assert torch.allclose(a, b, rtol=1e-3, atol=1e-3 * float(b.abs().max()))
