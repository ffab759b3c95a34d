"""Temporal shift: values against explicit loops, its laws, its registration, and its sentences.

The whole file also runs on the Triton kernels, in Triton's interpreter: see test_triton_interpreter.py.
"""

import os

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.library import opcheck
from torch.utils.flop_counter import FlopCounterMode

from efficientlab.kernels import (
    backend,
    shifted_pointwise_conv,
    temporal_shift,
    temporal_shift_step,
)

OP = torch.ops.efficientlab.temporal_shift
INTERPRETED = os.environ.get("EFFICIENTLAB_KERNELS") == "triton"  # milliseconds a call
few = settings(max_examples=4 if INTERPRETED else 25, deadline=None)


def shift_by_loops(x, n_frames, fold_div, causal):
    """The definition, one frame and one channel at a time."""
    y = torch.zeros_like(x, memory_format=torch.contiguous_format)
    fold = x.shape[1] // fold_div
    for i in range(x.shape[0]):
        for c in range(x.shape[1]):
            group = c // fold
            step = {True: {0: -1}, False: {0: 1, 1: -1}}[causal].get(group, 0)
            if 0 <= i % n_frames + step < n_frames:
                y[i, c] = x[i + step, c]
    return y


@st.composite
def cases(draw):
    """(x, n_frames, fold_div, causal): any clip, layout and fold."""
    causal = draw(st.booleans())
    fold_div = draw(st.integers(1 if causal else 2, 9))
    channels = draw(st.integers(fold_div, 18))
    n, n_frames = draw(st.integers(1, 3)), draw(st.integers(1, 5))
    h, w = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**31)))
    layout = draw(st.sampled_from(["contiguous", "channels_last", "transposed", "sliced", "expanded"]))
    shape = (n * n_frames, channels, h, w)
    if layout == "transposed":
        x = torch.randn(shape[::-1], dtype=torch.float64, generator=generator).permute(3, 2, 1, 0)
    elif layout == "sliced":
        x = torch.randn(*shape[:3], 2 * w + 1, dtype=torch.float64, generator=generator)[..., 1::2]
    elif layout == "expanded":
        x = torch.randn(1, channels, 1, w, dtype=torch.float64, generator=generator).expand(shape)
    else:
        x = torch.randn(shape, dtype=torch.float64, generator=generator)
        if layout == "channels_last":
            x = x.contiguous(memory_format=torch.channels_last)
    return x, n_frames, fold_div, causal


# ------------------------------------------------------------------------------------------- values


@few
@given(cases())
def test_equals_the_definition_and_leaves_its_input_alone(case):
    x, n_frames, fold_div, causal = case
    before = x.clone()
    y = temporal_shift(x, n_frames, fold_div, causal)
    assert torch.equal(y, shift_by_loops(x, n_frames, fold_div, causal))
    assert torch.equal(x, before)


def test_a_clip_by_hand():
    x = torch.arange(1.0, 13.0).view(3, 4, 1, 1)  # frame t, channel c holds 4 t + c + 1
    offline = temporal_shift(x, 3, fold_div=4)[:, :, 0, 0]
    assert offline.tolist() == [[5, 0, 3, 4], [9, 2, 7, 8], [0, 6, 11, 12]]
    online = temporal_shift(x, 3, fold_div=4, causal=True)[:, :, 0, 0]
    assert online.tolist() == [[0, 2, 3, 4], [1, 6, 7, 8], [5, 10, 11, 12]]


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.int32, torch.bool])
def test_every_dtype_moves_unchanged(dtype):
    x = (torch.randn(6, 8, 3, 2) * 3).to(dtype)
    expected = shift_by_loops(x, 3, 4, False)
    assert temporal_shift(x, 3, 4).dtype is dtype
    assert torch.equal(temporal_shift(x, 3, 4), expected)


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_the_result_has_the_format_of_the_input(memory_format):
    x = torch.randn(4, 8, 3, 5).contiguous(memory_format=memory_format)
    assert temporal_shift(x, 2).is_contiguous(memory_format=memory_format)


@pytest.mark.parametrize("shape", [(0, 8, 2, 2), (4, 8, 0, 2)])
def test_nothing_in_nothing_out(shape):
    assert temporal_shift(torch.zeros(shape), 2).shape == shape


def test_a_frame_larger_than_one_block():
    x = torch.randn(4, 16, 13, 11)
    assert torch.equal(temporal_shift(x, 4), shift_by_loops(x, 4, 8, False))
    x = x.contiguous(memory_format=torch.channels_last)
    assert torch.equal(temporal_shift(x, 2), shift_by_loops(x, 2, 8, False))


# --------------------------------------------------------------------------------------------- laws


@few
@given(cases())
def test_linear(case):
    x, n_frames, fold_div, causal = case
    other = torch.randn_like(x)
    shifted = temporal_shift(2 * x - 3 * other, n_frames, fold_div, causal)
    parts = [temporal_shift(part, n_frames, fold_div, causal) for part in (x, other)]
    assert torch.allclose(shifted, 2 * parts[0] - 3 * parts[1], atol=1e-12)


@few
@given(cases())
def test_the_gradient_is_the_shift_in_the_other_direction(case):
    """<S x, y> = <x, Sᵀ y>, and Sᵀ is the shift of the clip played backwards, played backwards."""
    x, n_frames, fold_div, causal = case
    y = torch.randn_like(x)
    (adjoint,) = torch.autograd.grad(temporal_shift(x.requires_grad_(), n_frames, fold_div, causal), x, y)
    reverse = (torch.arange(len(x)).view(-1, n_frames).flip(1)).flatten()
    assert torch.equal(adjoint, temporal_shift(y[reverse], n_frames, fold_div, causal)[reverse])
    forward = (temporal_shift(x, n_frames, fold_div, causal) * y).sum()
    assert torch.allclose(forward, (x * adjoint).sum(), rtol=1e-10, atol=1e-10)


@few
@given(cases())
def test_channels_keep_to_themselves_and_lose_only_the_ends(case):
    """Every channel of a clip holds the same values as before, but for one frame that left it."""
    x, n_frames, fold_div, causal = case
    y = temporal_shift(x, n_frames, fold_div, causal)
    fold = x.shape[1] // fold_div
    energy = y.square().sum((0, 2, 3))
    left = torch.zeros_like(energy)
    clips = x.square().unflatten(0, (-1, n_frames)).sum((3, 4))  # (N, T, C)
    left[:fold] = clips[:, -1 if causal else 0, :fold].sum(0)
    if not causal:
        left[fold : 2 * fold] = clips[:, -1, fold : 2 * fold].sum(0)
    assert torch.allclose(energy, x.square().sum((0, 2, 3)) - left, atol=1e-10)


@few
@given(cases())
def test_clips_of_a_batch_never_mix(case):
    x, n_frames, fold_div, causal = case
    alone = [temporal_shift(clip, n_frames, fold_div, causal) for clip in x.split(n_frames)]
    assert torch.equal(temporal_shift(x, n_frames, fold_div, causal), torch.cat(alone))


@few
@given(cases())
def test_causal_twice_is_a_delay_of_two(case):
    x, n_frames, fold_div, _ = case
    fold = x.shape[1] // fold_div
    y = temporal_shift(temporal_shift(x, n_frames, fold_div, True), n_frames, fold_div, True)
    clips, delayed = x.unflatten(0, (-1, n_frames)), y.unflatten(0, (-1, n_frames))
    assert torch.equal(delayed[:, 2:, :fold], clips[:, : max(n_frames - 2, 0), :fold])
    assert not delayed[:, :2, :fold].any()
    assert torch.equal(delayed[:, :, fold:], clips[:, :, fold:])


@few
@given(cases())
def test_a_single_frame_only_loses_what_would_move(case):
    x, _, fold_div, causal = case
    fold = x.shape[1] // fold_div
    y = temporal_shift(x, 1, fold_div, causal)
    kept = fold if causal else 2 * fold
    assert not y[:, :kept].any()
    assert torch.equal(y[:, kept:], x[:, kept:])


@few
@given(cases())
def test_online_equals_offline_causal_exactly(case):
    x, n_frames, fold_div, _ = case
    clips, cache, steps = x.unflatten(0, (-1, n_frames)), None, []
    for t in range(n_frames):
        y, cache = temporal_shift_step(clips[:, t], cache, fold_div)
        steps.append(y)
    assert torch.equal(torch.stack(steps, 1).flatten(0, 1), temporal_shift(x, n_frames, fold_div, True))


def test_the_cache_is_a_copy():
    x = torch.randn(1, 8, 2, 2)
    _, cache = temporal_shift_step(x, None)
    kept = cache.clone()
    x.zero_()
    assert torch.equal(cache, kept)


# ------------------------------------------------------------------------------------- registration


@pytest.mark.parametrize("causal", [False, True])
def test_gradcheck(causal):
    x = torch.randn(6, 5, 2, 2, dtype=torch.float64, requires_grad=True)

    def f(x):
        return temporal_shift(x, 3, 2, causal)

    assert torch.autograd.gradcheck(f, x, fast_mode=INTERPRETED)
    assert torch.autograd.gradgradcheck(f, x, fast_mode=INTERPRETED)


@pytest.mark.slow
@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_opcheck(memory_format):
    x = torch.randn(6, 8, 2, 3).contiguous(memory_format=memory_format).requires_grad_()
    opcheck(OP, (x, 3, 2, 1, -1))
    opcheck(OP, (x, 3, 2, -1, 0))
    opcheck(OP, (torch.randn(3, 2, 8, 6).permute(3, 2, 1, 0), 3, 2, 1, -1))


@pytest.mark.slow
def test_compile_makes_one_graph_with_the_same_values_and_gradients():
    x = torch.randn(6, 8, 2, 3, requires_grad=True)

    def f(x):
        return (temporal_shift(x.relu(), 3) * temporal_shift(x, 3, causal=True)).sum()

    compiled = torch.compile(f, fullgraph=True, backend="aot_eager")
    (expected,), (got,) = torch.autograd.grad(f(x), x), torch.autograd.grad(compiled(x), x)
    assert torch.equal(compiled(x), f(x))
    assert torch.equal(got, expected)


def test_costs_no_flop_and_one_pass_over_memory():
    x = torch.randn(8, 16, 4, 4, requires_grad=True)
    with FlopCounterMode(display=False) as counter:
        temporal_shift(x, 8).sum().backward()
    assert counter.get_total_flops() == 0
    assert counter.get_flop_counts()["Global"][OP] == 0  # seen, and zero
    assert backend.BYTES[OP](x, 8, 2, 1, -1, out=x) == 2 * x.numel() * 4


def test_autocast_leaves_the_dtype_alone():
    with torch.autocast("cpu", torch.bfloat16):
        assert temporal_shift(torch.randn(2, 8, 2, 2), 2).dtype is torch.float32


# ---------------------------------------------------------------------------------------- sentences


@pytest.mark.parametrize(
    ("shape", "arguments", "sentence"),
    [
        ((4, 8, 2), {"n_frames": 2}, r"x must be \(N·T, C, H, W\), got shape \(4, 8, 2\)"),
        ((5, 8, 2, 2), {"n_frames": 2}, "5 frames, which are no clips of n_frames=2"),
        ((4, 8, 2, 2), {"n_frames": 0}, "no clips of n_frames=0"),
        ((4, 8, 2, 2), {"n_frames": 2, "fold_div": 1}, "fold_div must be at least 2"),
        ((4, 8, 2, 2), {"n_frames": 2, "fold_div": 0, "causal": True}, "fold_div must be at least 1"),
        ((4, 6, 2, 2), {"n_frames": 2}, "nothing would be shifted: C // fold_div = 6 // 8 = 0"),
    ],
)
def test_bad_arguments_get_one_sentence(shape, arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        temporal_shift(torch.zeros(shape), **arguments)


def test_a_foreign_cache_gets_one_sentence():
    x = torch.zeros(2, 8, 3, 3)
    with pytest.raises(ValueError, match=r"cache must be \(N, C // fold_div, H, W\) = \(2, 1, 3, 3\), got"):
        temporal_shift_step(x, torch.zeros(2, 2, 3, 3))
    with pytest.raises(TypeError, match=r"cache is torch.float64 on cpu, x is torch.float32 on cpu"):
        temporal_shift_step(x, torch.zeros(2, 1, 3, 3, dtype=torch.float64))
    with pytest.raises(ValueError, match="nothing would be shifted"):
        temporal_shift_step(torch.zeros(2, 4, 3, 3), None)


@pytest.mark.parametrize("fused", [False, True])
def test_numbers_that_are_not_whole_sentence(fused):
    def op(x, n_frames, fold_div=8):
        if fused:
            return shifted_pointwise_conv(x, torch.ones(2, 8, 1, 1), n_frames=n_frames, fold_div=fold_div)
        return temporal_shift(x, n_frames, fold_div)

    x = torch.randn(4, 8, 2, 2)
    assert torch.equal(op(x, np.int64(4), np.int32(8)), op(x, 4, 8))
    with pytest.raises(TypeError, match=r"fold_div must be a whole number, got 8\.0"):
        op(x, 4, 8.0)
    with pytest.raises(TypeError, match=r"n_frames must be a whole number, got 4\.0"):
        op(x, 4.0)
