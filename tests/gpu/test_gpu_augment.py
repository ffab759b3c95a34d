"""DiffAugment on a GPU, against the CPU's results in float64."""

import pytest
import torch

from efficientlab.kernels import diff_augment, draw_augmentation

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float16, 5e-3), (torch.float32, 1e-5)])
@pytest.mark.parametrize("shape", [(8, 3, 32, 32), (3, 1, 17, 45), (2, 6, 64, 8)])
def test_equals_float64_with_its_gradient(shape, dtype, tolerance, memory_format):
    augmentation = draw_augmentation(shape[0], shape[2:], generator=torch.Generator().manual_seed(0))
    x = torch.randn(shape).contiguous(memory_format=memory_format)
    gpu = x.to("cuda", dtype).requires_grad_()
    cpu = gpu.detach().cpu().double().requires_grad_()
    y, expected = diff_augment(gpu, augmentation), diff_augment(cpu, augmentation)
    assert y.is_contiguous(memory_format=memory_format)
    assert torch.allclose(y.cpu().double(), expected, atol=tolerance)
    grad = torch.randn_like(expected).to(dtype)
    (got,) = torch.autograd.grad(y, gpu, grad.cuda())
    (reference,) = torch.autograd.grad(expected, cpu, grad.double())
    assert torch.allclose(got.cpu().double(), reference, atol=tolerance)


def test_a_generator_on_the_gpu():
    x = torch.randn(4, 3, 16, 16, device="cuda")
    one, two = (diff_augment(x, generator=torch.Generator("cuda").manual_seed(1)) for _ in range(2))
    assert torch.equal(one, two)


def test_compile_with_inductor():
    x = torch.randn(4, 3, 16, 16, device="cuda", requires_grad=True)
    augmentation = draw_augmentation(4, (16, 16))

    def f(x):
        return diff_augment(x.tanh(), augmentation).square().sum()

    (expected,), (got,) = (torch.autograd.grad(g(x), x) for g in (f, torch.compile(f, fullgraph=True)))
    assert torch.allclose(got, expected, rtol=1e-4, atol=1e-5)
