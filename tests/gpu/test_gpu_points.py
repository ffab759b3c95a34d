"""Sampling, neighbours and grouping on a GPU, against the CPU's results."""

import pytest
import torch

from efficientlab.kernels import ball_query, farthest_point_sample, group, knn

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]


def on_a_grid(n, p):
    """Coordinates whose distances are exact in every precision, many of them equal."""
    return torch.randint(-16, 17, (n, 3, p), generator=torch.Generator().manual_seed(p)) / 8


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
@pytest.mark.parametrize("p", [1, 100, 2048, 8192, 9000])  # the last one does not fit one program's registers
def test_choices_equal_the_cpu_s(p, dtype):
    points = on_a_grid(2, p).to(dtype)
    centres = on_a_grid(2, 70).to(dtype)
    k = min(p, 20)
    here, there = (points, centres), (points.cuda(), centres.cuda())
    m = min(p, 50)
    assert torch.equal(farthest_point_sample(points, m), farthest_point_sample(there[0], m).cpu())
    assert torch.equal(ball_query(*here, 0.5, 16), ball_query(*there, 0.5, 16).cpu())
    for a, b in zip(knn(*here, k), knn(*there, k), strict=True):
        assert torch.equal(a, b.cpu())


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32])
def test_grouping_and_its_gradient(dtype):
    features, index = torch.randn(2, 33, 500).to(dtype), torch.randint(0, 500, (2, 60, 16))
    gpu, cpu = features.cuda().requires_grad_(), features.double().requires_grad_()
    y, expected = group(gpu, index.cuda()), group(cpu, index)
    assert torch.equal(y.cpu().double(), expected)
    grad = torch.randn(expected.shape).to(dtype)
    (got,) = torch.autograd.grad(y, gpu, grad.cuda())
    (want,) = torch.autograd.grad(expected, cpu, grad.double())
    assert torch.allclose(got.cpu().double(), want, atol=5e-3 if dtype is torch.float16 else 1e-5)
