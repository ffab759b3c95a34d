"""The shift and the fused shift on a GPU, against the CPU's results in float64."""

import pytest
import torch

from efficientlab.kernels import shifted_conv, shifted_pointwise_conv, temporal_shift

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]

FORMATS = [torch.contiguous_format, torch.channels_last]
SHAPES = [(8, 16, 7, 7), (16, 64, 14, 14), (8, 24, 33, 5), (6, 13, 3, 4)]


def on_gpu(x, dtype=torch.float32):
    return x.to("cuda", dtype)


@pytest.mark.parametrize("memory_format", FORMATS)
@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64, torch.int32])
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("shape", SHAPES)
def test_shift_equals_the_cpu_exactly(shape, causal, dtype, memory_format):
    x = (torch.randn(shape) * 4).to(dtype).contiguous(memory_format=memory_format)
    got = temporal_shift(on_gpu(x, dtype), 2, causal=causal)
    assert torch.equal(got.cpu(), temporal_shift(x, 2, causal=causal))
    assert got.is_contiguous(memory_format=memory_format)


@pytest.mark.parametrize("fused", [True, False])  # False: the path of T4
@pytest.mark.parametrize("memory_format", FORMATS)
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float16, 5e-3), (torch.float32, 1e-4)])
@pytest.mark.parametrize("shape", SHAPES)
def test_fused_equals_float64_with_gradients(shape, dtype, tolerance, memory_format, fused, monkeypatch):
    if not fused:
        monkeypatch.setattr(shifted_conv, "_fused_on", lambda x: False)
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)
    operands = [torch.randn(shape), torch.randn(40, shape[1]) / shape[1] ** 0.5, torch.randn(40)]
    operands[0] = operands[0].contiguous(memory_format=memory_format)
    gpu = [on_gpu(t, dtype).requires_grad_() for t in operands]
    cpu = [t.detach().cpu().double().requires_grad_() for t in gpu]
    y, expected = (shifted_pointwise_conv(*t, n_frames=2) for t in (gpu, cpu))
    grad = torch.randn_like(expected).to(dtype)
    assert y.is_contiguous(memory_format=memory_format)
    assert torch.allclose(y.cpu().double(), expected, atol=tolerance * expected.abs().max())
    got = torch.autograd.grad(y, gpu, grad.cuda())
    for a, b in zip(got, torch.autograd.grad(expected, cpu, grad.double()), strict=True):
        assert torch.allclose(a.cpu().double(), b, atol=tolerance * float(b.abs().max()))


def test_compile_with_inductor():
    x = torch.randn(8, 16, 7, 7, device="cuda", requires_grad=True)
    weight = torch.randn(8, 16, device="cuda", requires_grad=True)

    def f(x, weight):
        return shifted_pointwise_conv(temporal_shift(x, 4).relu(), weight, n_frames=4).square().sum()

    expected = torch.autograd.grad(f(x, weight), (x, weight))
    got = torch.autograd.grad(torch.compile(f, fullgraph=True)(x, weight), (x, weight))
    for a, b in zip(got, expected, strict=True):
        assert torch.allclose(a, b, rtol=1e-3, atol=1e-3)


def test_autocast():
    x, weight = torch.randn(8, 16, 7, 7, device="cuda"), torch.randn(8, 16, device="cuda")
    with torch.autocast("cuda", torch.float16):
        assert shifted_pointwise_conv(x, weight, n_frames=4).dtype is torch.float16
        assert temporal_shift(x, 4).dtype is torch.float32
