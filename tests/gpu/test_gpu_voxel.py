"""Voxelize and devoxelize on a GPU, against the CPU's results in float64."""

import pytest
import torch

from efficientlab.kernels import avg_voxelize, normalize_to_grid, trilinear_devoxelize

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float16, 2e-3), (torch.float32, 1e-5)])
@pytest.mark.parametrize(("channels", "points", "resolution"), [(64, 2048, 16), (7, 333, 5), (200, 50, 3)])
def test_equal_float64_with_gradients(channels, points, resolution, dtype, tolerance):
    generator = torch.Generator().manual_seed(0)
    coords = normalize_to_grid(torch.randn(3, 3, points, generator=generator), resolution)
    features = torch.randn(3, channels, points, generator=generator).to(dtype)
    voxels = torch.randn(3, channels, *[resolution] * 3, generator=generator).to(dtype)
    for op, x in (
        (lambda x, c: avg_voxelize(x, c, resolution), features),
        (lambda x, c: trilinear_devoxelize(x, c), voxels),
    ):
        gpu, cpu = x.cuda().requires_grad_(), x.double().requires_grad_()
        y, expected = op(gpu, coords.cuda()), op(cpu, coords)
        assert y.dtype is dtype
        assert torch.allclose(y.cpu().double(), expected, atol=tolerance * float(expected.abs().max()))
        grad = torch.randn(expected.shape, generator=generator).to(dtype)
        (got,) = torch.autograd.grad(y, gpu, grad.cuda())
        (want,) = torch.autograd.grad(expected, cpu, grad.double())
        assert torch.allclose(got.cpu().double(), want, atol=tolerance * float(want.abs().max()))
        assert torch.equal(op(gpu, coords.cuda()), y)


def test_bad_coordinates_get_their_sentence():
    with pytest.raises(ValueError, match=r"coords must lie in \[0, 3\] for resolution 4, got nan to nan"):
        avg_voxelize(torch.ones(1, 2, 4, device="cuda"), torch.full((1, 3, 4), torch.nan, device="cuda"), 4)


def test_compile_with_inductor():
    coords = torch.rand(2, 3, 100, device="cuda") * 7
    features = torch.randn(2, 16, 100, device="cuda", requires_grad=True)

    def f(features):
        voxels = avg_voxelize(features.relu(), coords, 8)
        return (trilinear_devoxelize(voxels.sigmoid(), coords) * features).sum()

    (got,) = torch.autograd.grad(torch.compile(f, fullgraph=True)(features), features)
    (expected,) = torch.autograd.grad(f(features), features)
    assert torch.allclose(got, expected, rtol=1e-4, atol=1e-5)
