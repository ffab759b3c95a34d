"""The same counts on a GPU, where other operators run: cuDNN, fused attention, Triton kernels."""

import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from efficientlab.counters import compare, count, latency, measure, roofline

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
from counters_cases import CASES
from counters_kernel_cases import kernel_cases

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
    pytest.mark.filterwarnings("ignore"),
]
GRU_STEP = 2 * 24 * 8  # cuDNN also makes the gradient of the initial state
ON_CUDA = {"GRU, backward": GRU_STEP}


@pytest.mark.parametrize("case", [*CASES, *kernel_cases()], ids=lambda case: case.name)
def test_case_is_exact_on_cuda(case):
    model, inputs = case.make("cuda")
    result = count(model, *inputs, backward=case.backward)
    assert (result.macs, result.not_counted) == (case.macs + ON_CUDA.get(case.name, 0), ())


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32])
def test_fused_causal_attention_is_half(dtype):
    q = torch.randn(2, 4, 128, 64, device="cuda", dtype=dtype, requires_grad=True)
    attention = nn.functional.scaled_dot_product_attention
    result = count(lambda q: attention(q, q, q, is_causal=True), q, backward=True)
    pairs = 8 * (128 * 129 // 2)
    assert result.macs_forward == pairs * 2 * 64
    assert result.macs_backward in {pairs * 5 * 64, pairs * 4 * 64}  # fused, or the math path


def test_peak_and_traffic_equal_those_of_the_cpu():
    model = nn.Sequential(nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 8))
    x = torch.randn(32, 64)
    cpu = count(model, x)
    gpu = count(model.cuda(), x.cuda())
    assert (gpu.bytes_read, gpu.bytes_written, gpu.params) == (cpu.bytes_read, cpu.bytes_written, cpu.params)
    assert gpu.peak_activation_bytes == cpu.peak_activation_bytes


def test_time_waits_for_the_device():
    x = torch.randn(4096, 4096, device="cuda")
    result = latency(torch.mm, x, x)
    assert result.median > 2 * 4096**3 / 2e15  # no device does 2 PFLOP/s in float32
    ratio = compare({"one": lambda: x @ x, "two": lambda: (x @ x, x @ x)}).ratio["two"]
    assert 1.7 < ratio.value < 2.3
    rows = measure(nn.Linear(4096, 4096, device="cuda"), x).rows
    assert rows[0].latency.median > 0


def test_inputs_elsewhere_get_a_sentence():
    with pytest.raises(ValueError, match="the model is on cuda:0, an input on cpu: move them to one device"):
        count(nn.Linear(8, 4, device="cuda"), torch.ones(2, 8))


def test_roofline_of_the_gpu():
    half, single = roofline("cuda", torch.float16), roofline("cuda", torch.float32)
    assert half.flops_per_second > single.flops_per_second
    assert half.ridge > 1
