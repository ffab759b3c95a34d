"""Bird's-eye-view pooling on a GPU, against the CPU's results in float64."""

import pytest
import torch

from efficientlab.kernels import BEVGrid, bev_index, bev_pool

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]

GRID = BEVGrid((-10.0, 10.0, 0.5), (-10.0, 10.0, 0.25), (-3.0, 3.0))


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float16, 5e-3), (torch.float32, 1e-5)])
@pytest.mark.parametrize("shape", [(2, 3, 20, 8, 11, 80), (1, 1, 7, 3, 5, 33)])
def test_equals_float64_with_both_gradients(shape, dtype, tolerance):
    n, m, d, h, w, c = shape
    generator = torch.Generator().manual_seed(0)
    points = torch.randn(n, m, d, h, w, 3, generator=generator) * 6
    depth = torch.rand(n, m, d, h, w, generator=generator)
    features = torch.randn(n, m, c, h, w, generator=generator)
    gpu = [t.to("cuda", dtype).requires_grad_() for t in (depth, features)]
    cpu = [t.detach().cpu().double().requires_grad_() for t in gpu]
    y = bev_pool(*gpu, bev_index(points.cuda(), GRID))
    expected = bev_pool(*cpu, bev_index(points, GRID))
    grad = torch.randn(y.shape, generator=generator).to(dtype)
    assert torch.allclose(y.cpu().double(), expected, atol=tolerance * float(expected.abs().max()))
    got = torch.autograd.grad(y, gpu, grad.cuda())
    for a, b in zip(got, torch.autograd.grad(expected, cpu, grad.double()), strict=True):
        assert torch.allclose(a.cpu().double(), b, atol=tolerance * float(b.abs().max()))


def test_the_index_is_the_cpu_s():
    points = torch.randn(2, 3, 20, 8, 11, 3, generator=torch.Generator().manual_seed(0)) * 6
    one, other = bev_index(points, GRID), bev_index(points.cuda(), GRID)
    for a, b in zip((*one.by_cell, *one.by_pixel), (*other.by_cell, *other.by_pixel), strict=True):
        assert torch.equal(a, b.cpu())


def test_compile_with_inductor():
    index = bev_index(torch.randn(1, 2, 6, 4, 5, 3, device="cuda") * 6, GRID)
    depth = torch.rand(1, 2, 6, 4, 5, device="cuda", requires_grad=True)
    features = torch.randn(1, 2, 16, 4, 5, device="cuda", requires_grad=True)

    def f(depth, features):
        return bev_pool(depth.softmax(2), features.relu(), index).square().sum()

    expected = torch.autograd.grad(f(depth, features), (depth, features))
    got = torch.autograd.grad(torch.compile(f, fullgraph=True)(depth, features), (depth, features))
    for a, b in zip(got, expected, strict=True):
        assert torch.allclose(a, b, rtol=1e-4, atol=1e-5)
