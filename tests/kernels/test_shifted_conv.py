"""The fused shift and 1 × 1 convolution against the two ops it replaces, made by loops in float64.

The whole file also runs on the Triton kernel, in Triton's interpreter: see test_triton_interpreter.py.
"""

import os

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.library import opcheck
from torch.utils.flop_counter import FlopCounterMode

from efficientlab.kernels import backend, shifted_conv, shifted_pointwise_conv, temporal_shift

CONV = torch.ops.efficientlab.shifted_pointwise_conv
INPUT_GRAD = torch.ops.efficientlab.shifted_pointwise_conv_input_grad
WEIGHT_GRAD = torch.ops.efficientlab.shifted_pointwise_conv_weight_grad

INTERPRETED = os.environ.get("EFFICIENTLAB_KERNELS") == "triton"  # and float64 is not for the kernel
DTYPE, TOLERANCE = (torch.float32, 1e-4) if INTERPRETED else (torch.float64, 1e-10)
few = settings(max_examples=4 if INTERPRETED else 40, deadline=None)


def by_loops(x, weight, bias, n_frames, fold_div, causal):
    """y[i, d] = b[d] + Σ_c W[d, c] x[the frame that channel c comes from, c], one frame and channel at a time."""
    x, weight = x.double(), weight.double()
    y = torch.zeros(len(x), len(weight), *x.shape[2:], dtype=torch.float64)
    if bias is not None:
        y += bias.double()[:, None, None]
    fold = x.shape[1] // fold_div
    for i in range(len(x)):
        for c in range(x.shape[1]):
            step = ({0: -1} if causal else {0: 1, 1: -1}).get(c // fold, 0)
            if 0 <= i % n_frames + step < n_frames:
                y[i] += weight[:, c, None, None] * x[i + step, c]
    return y


@st.composite
def cases(draw):
    """(x, weight, bias, n_frames, fold_div, causal) on both sides of every choice of algorithm."""
    causal = draw(st.booleans())
    fold_div = draw(st.integers(1 if causal else 2, 8))
    channels, outputs = draw(st.integers(fold_div, 17)), draw(st.integers(1, 9))
    n, n_frames = draw(st.integers(1, 2)), draw(st.integers(1, 4))
    size = draw(st.sampled_from([(1, 1), (3, 2), (12, 11)]))  # 132 pixels: more than 128, and than channels
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**31)))
    x = torch.randn(n * n_frames, channels, *size, dtype=DTYPE, generator=generator)
    layout = draw(st.sampled_from(["contiguous", "channels_last", "transposed"]))
    if layout == "channels_last":
        x = x.contiguous(memory_format=torch.channels_last)
    elif layout == "transposed":
        x = x.mT.contiguous().mT
    weight = torch.randn(outputs, channels, dtype=DTYPE, generator=generator)
    bias = torch.randn(outputs, dtype=DTYPE, generator=generator) if draw(st.booleans()) else None
    return x, weight, bias, n_frames, fold_div, causal


# ------------------------------------------------------------------------------------------- values


@few
@given(cases())
def test_equals_the_definition_and_leaves_its_operands_alone(case):
    x, weight, bias, n_frames, fold_div, causal = case
    before = x.clone(), weight.clone()
    y = shifted_pointwise_conv(x, weight, bias, n_frames=n_frames, fold_div=fold_div, causal=causal)
    assert torch.allclose(y.double(), by_loops(*case), atol=TOLERANCE)
    assert torch.equal(x, before[0])
    assert torch.equal(weight, before[1])


@few
@given(cases())
def test_gradients_equal_those_of_shift_then_convolution(case):
    x, weight, bias, n_frames, fold_div, causal = case
    operands = [t.clone().requires_grad_() for t in (x, weight, bias) if t is not None]

    def fused(x, weight, bias=None):
        return shifted_pointwise_conv(x, weight, bias, n_frames=n_frames, fold_div=fold_div, causal=causal)

    def plain(x, weight, bias=None):
        shifted = temporal_shift(x, n_frames, fold_div, causal)
        return torch.nn.functional.conv2d(shifted, weight[:, :, None, None], bias)

    grad = torch.randn_like(plain(*operands))
    got = torch.autograd.grad(fused(*operands), operands, grad)
    expected = torch.autograd.grad(plain(*operands), operands, grad)
    for a, b in zip(got, expected, strict=True):
        assert torch.allclose(a, b, atol=10 * TOLERANCE)


@few
@given(cases())
def test_clips_of_a_batch_never_mix(case):
    """Not even a NaN crosses the border of its clip, and no channel that stays takes it to another frame."""
    x, weight, bias, n_frames, fold_div, causal = case
    x = torch.cat([x[:n_frames], torch.full_like(x[:n_frames], float("nan"))])
    y = shifted_pointwise_conv(x, weight, bias, n_frames=n_frames, fold_div=fold_div, causal=causal)
    assert not y[:n_frames].isnan().any()


@pytest.mark.skipif(INTERPRETED, reason="65,536 numbers a frame take the interpreter a minute")
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("bias", [False, True])
def test_large_frames_are_multiplied_one_by_one_with_the_same_result(bias, causal):
    x = torch.randn(6, 10, 64, 64, dtype=torch.float64, requires_grad=True)  # two clips of three frames
    w = torch.randn(16, 10, dtype=torch.float64, requires_grad=True)
    b = torch.randn(16, dtype=torch.float64) if bias else None
    y = shifted_pointwise_conv(x, w, b, n_frames=3, fold_div=5, causal=causal)
    wanted = torch.nn.functional.conv2d(temporal_shift(x, 3, 5, causal), w[..., None, None], b)
    torch.testing.assert_close(y, wanted)
    g = torch.randn_like(y)
    torch.testing.assert_close(torch.autograd.grad(y, (x, w), g), torch.autograd.grad(wanted, (x, w), g))


@pytest.mark.skipif(INTERPRETED, reason="a choice among ways of the CPU")
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_moving_and_multiplying_parts_agree(memory_format, causal, monkeypatch):
    x = torch.randn(16, 24, 5, 6).contiguous(memory_format=memory_format).requires_grad_()
    w, b = torch.randn(7, 24, requires_grad=True), torch.randn(7, requires_grad=True)
    grad = torch.randn(16, 7, 5, 6).contiguous(memory_format=memory_format)

    def run():
        y = shifted_pointwise_conv(x, w, b, n_frames=4, causal=causal)
        return y, *torch.autograd.grad(y, (x, w, b), grad)

    monkeypatch.setattr(shifted_conv, "_moving_pays", lambda *args: True)
    moved = run()
    monkeypatch.setattr(shifted_conv, "_moving_pays", lambda *args: False)
    for one, other in zip(moved, run(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)
        assert one.stride() == other.stride()


@pytest.mark.skipif(INTERPRETED, reason="a choice among ways of the CPU")
def test_the_choice_follows_pytorchs_own():
    """PyTorch leaves oneDNN aside for fewer than 16 images on one thread, and where it is switched off."""
    threads = torch.get_num_threads()
    try:
        for images, count in ((15, 1), (16, 1), (2, 2)):
            torch.set_num_threads(count)
            x, w, none = torch.randn(images, 8, 2, 2), torch.randn(4, 8, 1, 1), (0, 0)
            chosen = torch._C._select_conv_backend(x, w, None, (1, 1), none, (1, 1), False, none, 1, None)
            assert shifted_conv._moving_pays(x) == (chosen.name == "Mkldnn")
    finally:
        torch.set_num_threads(threads)
    assert not shifted_conv._moving_pays(
        torch.empty(16, 2**18, 2, 2)
    )  # 64 MiB, and no number of it is touched


@pytest.mark.parametrize("size", [4, 12])
@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_the_result_has_the_format_of_the_input(memory_format, size):
    x = torch.randn(4, 8, size, size).contiguous(memory_format=memory_format)
    y = shifted_pointwise_conv(x, torch.randn(5, 8), n_frames=2)
    assert y.is_contiguous(memory_format=memory_format)


def test_both_shapes_of_the_weight_are_the_same():
    x, weight = torch.randn(4, 8, 2, 2), torch.randn(5, 8)
    one, other = (shifted_pointwise_conv(x, w, n_frames=4) for w in (weight, weight[:, :, None, None]))
    assert torch.equal(one, other)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("shape", [(0, 8, 2, 2), (4, 8, 0, 2)])
def test_nothing_in_nothing_out(shape, threads):
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        assert shifted_pointwise_conv(torch.zeros(shape), torch.zeros(5, 8), n_frames=2).numel() == 0
    finally:
        torch.set_num_threads(before)


def test_several_tiles():
    """More outputs, channels and pixels than one tile of the Triton kernel, and none a multiple of it."""
    x, weight, bias = torch.randn(4, 40, 9, 8), torch.randn(70, 40), torch.randn(70)
    for memory_format in (torch.contiguous_format, torch.channels_last):
        x = x.contiguous(memory_format=memory_format)
        y = shifted_pointwise_conv(x, weight, bias, n_frames=2)
        assert torch.allclose(y.double(), by_loops(x, weight, bias, 2, 8, False), atol=1e-4)


def test_half_precision_accumulates_in_single():
    x, weight = torch.randn(4, 64, 3, 3), torch.randn(8, 64) / 8
    y = shifted_pointwise_conv(x.half(), weight.half(), n_frames=4)
    expected = by_loops(x.half(), weight.half(), None, 4, 8, False)
    assert y.dtype is torch.float16
    assert torch.allclose(y.double(), expected, atol=8e-3)  # rounded once a product: here three times


def test_autocast_multiplies_in_its_dtype_and_keeps_gradients_in_theirs():
    x, weight = torch.randn(4, 8, 2, 2, requires_grad=True), torch.randn(5, 8, requires_grad=True)
    with torch.autocast("cpu", torch.float16):
        y = shifted_pointwise_conv(x, weight, n_frames=2)
    y.float().sum().backward()
    assert y.dtype is torch.float16
    assert x.grad.dtype is weight.grad.dtype is torch.float32


def test_meta_tensors_have_a_shape_and_a_cost():
    """No autocast exists for meta tensors, and asking for it raises."""

    def cost(device):
        x, weight = torch.empty(4, 8, 2, 2, device=device), torch.empty(5, 8, device=device)
        assert shifted_pointwise_conv(x, weight, n_frames=2).shape == (4, 5, 2, 2)
        with FlopCounterMode(display=False) as counter:
            shifted_pointwise_conv(x, weight, n_frames=2)
        return counter.get_total_flops()

    assert cost("meta") == cost("cpu") > 0


# ------------------------------------------------------------------------------------- registration


@pytest.mark.skipif(INTERPRETED, reason="numerical derivatives need float64")
@pytest.mark.parametrize("size", [(2, 2), (12, 11)])
@pytest.mark.parametrize("causal", [False, True])
def test_gradcheck_of_first_and_second_order(causal, size):
    x = torch.randn(4, 3, *size, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(2, 3, dtype=torch.float64, requires_grad=True)
    bias = torch.randn(2, dtype=torch.float64, requires_grad=True)

    def f(x, weight, bias):
        return shifted_pointwise_conv(x, weight, bias, n_frames=2, fold_div=3, causal=causal)

    assert torch.autograd.gradcheck(f, (x, weight, bias), fast_mode=size != (2, 2))
    assert torch.autograd.gradgradcheck(f, (x, weight, bias), fast_mode=size != (2, 2))


@pytest.mark.slow
@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_opcheck(memory_format):
    x = torch.randn(4, 8, 3, 2).contiguous(memory_format=memory_format).requires_grad_()
    grad = torch.randn(4, 5, 3, 2).contiguous(memory_format=memory_format).requires_grad_()
    weight, bias = torch.randn(5, 8, requires_grad=True), torch.randn(5, requires_grad=True)
    opcheck(CONV, (x, weight, bias, 2, 1, 1, -1))
    opcheck(CONV, (x, weight, None, 2, 2, -1, 0))
    opcheck(INPUT_GRAD, (grad, weight, 2, 1, 1, -1))
    opcheck(WEIGHT_GRAD, (grad, x, 2, 1, 1, -1))


@pytest.mark.slow
def test_compile_makes_one_graph_with_the_same_values_and_gradients():
    x, weight = torch.randn(4, 8, 3, 2, requires_grad=True), torch.randn(5, 8, 1, 1, requires_grad=True)

    def f(x, weight):
        return shifted_pointwise_conv(x.relu(), weight, n_frames=2).square().sum()

    compiled = torch.compile(f, fullgraph=True, backend="aot_eager")
    expected = torch.autograd.grad(f(x, weight), (x, weight))
    got = torch.autograd.grad(compiled(x, weight), (x, weight))
    for a, b in zip(got, expected, strict=True):
        assert torch.allclose(a, b)


def test_costs_what_the_convolution_costs():
    x, weight = torch.randn(4, 8, 3, 2, requires_grad=True), torch.randn(5, 8, requires_grad=True)
    macs = 4 * 3 * 2 * 8 * 5
    with FlopCounterMode(display=False) as counter:
        y = shifted_pointwise_conv(x, weight, n_frames=2)
    assert counter.get_total_flops() == 2 * macs
    with FlopCounterMode(display=False) as counter:
        y.sum().backward()
    assert counter.get_total_flops() == 4 * macs
    moved = 4 * (x.numel() + weight.numel() + y.numel())
    assert backend.BYTES[CONV](x, weight, None, 2, 1, 1, -1, out=y) == moved
    assert backend.BYTES[INPUT_GRAD](y, weight, 2, 1, 1, -1, out=x) == moved
    assert backend.BYTES[WEIGHT_GRAD](y, x, 2, 1, 1, -1, out=weight) == moved


# ---------------------------------------------------------------------------------------- sentences


@pytest.mark.parametrize(
    ("weight", "bias", "error", "sentence"),
    [
        (
            (5, 7),
            None,
            ValueError,
            r"weight must be \(D, C\) or \(D, C, 1, 1\) with C=8 as x has, got \(5, 7\)",
        ),
        ((5, 8, 3, 3), None, ValueError, r"weight must be .* got \(5, 8, 3, 3\)"),
        ((5, 8), (8,), ValueError, r"bias must be \(D,\) = \(5,\), got \(8,\)"),
    ],
)
def test_bad_shapes_get_one_sentence(weight, bias, error, sentence):
    bias = None if bias is None else torch.zeros(bias)
    with pytest.raises(error, match=sentence):
        shifted_pointwise_conv(torch.zeros(4, 8, 2, 2), torch.zeros(weight), bias, n_frames=2)


def test_mixed_dtypes_get_one_sentence():
    x = torch.zeros(4, 8, 2, 2)
    with pytest.raises(TypeError, match=r"x torch.float32 on cpu, weight torch.float64 on cpu"):
        shifted_pointwise_conv(x, torch.zeros(5, 8, dtype=torch.float64), n_frames=2)
    with pytest.raises(TypeError, match="floating dtype"):
        shifted_pointwise_conv(x.int(), torch.zeros(5, 8, dtype=torch.int32), n_frames=2)
    with pytest.raises(ValueError, match="nothing would be shifted"):
        shifted_pointwise_conv(x, torch.zeros(5, 8), n_frames=2, fold_div=9)
