"""DiffAugment fused against its five plain steps, its laws, its draws, its registration.

The whole file also runs on the Triton kernel, in Triton's interpreter: see test_triton_interpreter.py.
"""

import os

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.library import opcheck
from torch.utils.flop_counter import FlopCounterMode

from efficientlab.kernels import (
    Augmentation,
    backend,
    diff_augment,
    draw_augmentation,
    neutral_augmentation,
)

OP = torch.ops.efficientlab.diff_augment
INTERPRETED = os.environ.get("EFFICIENTLAB_KERNELS") == "triton"  # milliseconds a call
few = settings(max_examples=5 if INTERPRETED else 40, deadline=None)


def five_steps(x, augmentation):
    """The paper's steps one after the other, one image at a time; differentiable by autograd."""
    images = []
    for image, color, (u, v), (top, left) in zip(x, *augmentation, strict=True):
        b, s, k = color.to(x.dtype)
        image = image + b
        gray = image.mean(0, keepdim=True)
        image = (image - gray) * s + gray
        mean = image.mean()
        image = (image - mean) * k + mean
        _, h, w = image.shape
        rows, columns = torch.arange(h)[:, None], torch.arange(w)[None]
        i, j = rows + u, columns + v
        inside = (i >= 0) & (i < h) & (j >= 0) & (j < w)
        image = torch.where(inside, image[:, i.clamp(0, h - 1), j.clamp(0, w - 1)], 0)
        cut_h, cut_w = (h + 1) // 2, (w + 1) // 2
        cut = (rows >= top) & (rows < top + cut_h) & (columns >= left) & (columns < left + cut_w)
        images.append(torch.where(cut, 0, image))
    return torch.stack(images)


@st.composite
def cases(draw):
    """(x, augmentation), with translations and cutouts that may leave the image altogether."""
    n, c, h, w = (draw(st.integers(1, most)) for most in (3, 5, 7, 9))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**31)))
    x = torch.randn(n, c, h, w, dtype=torch.float64, generator=generator)
    if draw(st.booleans()):
        x = x.contiguous(memory_format=torch.channels_last)
    color = torch.randn(n, 3, dtype=torch.float64, generator=generator)
    translation = torch.randint(-10, 11, (n, 2), generator=generator) // draw(st.integers(1, 10))
    cutout = torch.randint(-6, 10, (n, 2), generator=generator)
    return x, Augmentation(color, translation, cutout)


# ------------------------------------------------------------------------------------------- values


@few
@given(cases())
def test_equals_the_five_steps_with_their_gradient(case):
    x, augmentation = case
    before = x.clone()
    inputs = x.clone().requires_grad_(), x.clone().requires_grad_()
    y, expected = diff_augment(inputs[0], augmentation), five_steps(inputs[1], augmentation)
    assert torch.allclose(y, expected, atol=1e-12)
    grad = torch.randn_like(y)
    got, reference = (torch.autograd.grad(o, i, grad)[0] for o, i in zip((y, expected), inputs, strict=True))
    assert torch.allclose(got, reference, atol=1e-12)
    assert torch.equal(x, before)


def test_an_image_larger_than_one_block():
    x = torch.randn(2, 3, 19, 23, dtype=torch.float64, requires_grad=True)
    augmentation = draw_augmentation(2, (19, 23), generator=torch.Generator().manual_seed(1))
    y, expected = diff_augment(x, augmentation), five_steps(x, augmentation)
    assert torch.allclose(y, expected, atol=1e-6)  # the draws are in single precision
    got, reference = (torch.autograd.grad(o, x, torch.ones_like(y))[0] for o in (y, expected))
    assert torch.allclose(got, reference, atol=1e-6)


def test_half_precision_is_rounded_last():
    x = torch.randn(2, 3, 6, 5, dtype=torch.float16)
    augmentation = draw_augmentation(2, (6, 5), generator=torch.Generator().manual_seed(1))
    y = diff_augment(x, augmentation)
    assert y.dtype is torch.float16
    assert torch.allclose(y.double(), five_steps(x.double(), augmentation), atol=5e-3)


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_the_result_has_the_format_of_the_input(memory_format):
    x = torch.randn(2, 3, 4, 5).contiguous(memory_format=memory_format)
    assert diff_augment(x).is_contiguous(memory_format=memory_format)


def test_nothing_in_nothing_out():
    assert diff_augment(torch.zeros(0, 3, 4, 4)).shape == (0, 3, 4, 4)


# --------------------------------------------------------------------------------------------- laws


def test_neutral_changes_nothing():
    x = torch.randn(2, 3, 6, 5)
    assert torch.allclose(diff_augment(x, neutral_augmentation(2, (6, 5))), x, atol=1e-6)


@few
@given(cases())
def test_images_of_a_batch_never_mix(case):
    x, augmentation = case
    each = [
        diff_augment(x[i : i + 1], Augmentation(*(part[i : i + 1] for part in augmentation)))
        for i in range(len(x))
    ]
    assert torch.allclose(diff_augment(x, augmentation), torch.cat(each), atol=1e-12)


@few
@given(cases())
def test_affine_in_the_image(case):
    x, augmentation = case
    other = torch.randn_like(x)
    mixed = diff_augment(0.3 * x + 0.7 * other, augmentation)
    parts = 0.3 * diff_augment(x, augmentation) + 0.7 * diff_augment(other, augmentation)
    assert torch.allclose(mixed, parts, atol=1e-12)


# -------------------------------------------------------------------------------------------- draws


def test_draws_are_those_of_the_paper():
    color, translation, cutout = draw_augmentation(4000, (32, 16), generator=torch.Generator().manual_seed(0))
    for column, (low, high) in zip(color.unbind(1), [(-0.5, 0.5), (0, 2), (0.5, 1.5)], strict=True):
        assert low <= column.min() < low + 0.01 * (high - low)
        assert high - 0.01 * (high - low) < column.max() <= high
        assert abs(column.mean() - (low + high) / 2) < 0.05
    assert translation.amin(0).tolist() == [-4, -2]
    assert translation.amax(0).tolist() == [4, 2]
    centre = cutout + torch.tensor([8, 4])
    assert centre.amin(0).tolist() == [0, 0]
    assert centre.amax(0).tolist() == [32, 16]


def test_a_seed_gives_the_same_images_and_leaves_the_global_generator_alone():
    x = torch.randn(4, 3, 8, 8)
    state = torch.get_rng_state()
    one, two = (diff_augment(x, generator=torch.Generator().manual_seed(7)) for _ in range(2))
    assert torch.equal(one, two)
    assert torch.equal(torch.get_rng_state(), state)
    assert not torch.equal(one, diff_augment(x, generator=torch.Generator().manual_seed(8)))


def test_leaving_a_step_out_does_not_change_the_others():
    full, part = (
        draw_augmentation(5, (8, 8), policy=policy, generator=torch.Generator().manual_seed(3))
        for policy in (("color", "translation", "cutout"), ("translation",))
    )
    assert torch.equal(full.translation, part.translation)
    assert torch.equal(part.color, neutral_augmentation(5, (8, 8)).color)
    assert torch.equal(part.cutout, neutral_augmentation(5, (8, 8)).cutout)


# ------------------------------------------------------------------------------------- registration


def test_gradcheck_of_first_and_second_order():
    x = torch.randn(2, 2, 4, 3, dtype=torch.float64, requires_grad=True)
    augmentation = Augmentation(
        torch.randn(2, 3, dtype=torch.float64),
        torch.tensor([[1, 0], [-2, 1]]),
        torch.tensor([[0, 1], [2, -1]]),
    )
    assert torch.autograd.gradcheck(lambda x: diff_augment(x, augmentation), x, fast_mode=INTERPRETED)
    assert torch.autograd.gradgradcheck(lambda x: diff_augment(x, augmentation), x, fast_mode=INTERPRETED)


@pytest.mark.slow
@pytest.mark.parametrize("adjoint", [False, True])
def test_opcheck(adjoint):
    x = torch.randn(2, 3, 4, 5).contiguous(memory_format=torch.channels_last).requires_grad_()
    opcheck(OP, (x, *draw_augmentation(2, (4, 5)), adjoint))


@pytest.mark.slow
def test_compile_makes_one_graph_with_the_same_values_and_gradients():
    x, augmentation = torch.randn(2, 3, 4, 5, requires_grad=True), draw_augmentation(2, (4, 5))

    def f(x, color, translation, cutout):
        return diff_augment(x.tanh(), Augmentation(color, translation, cutout)).square().sum()

    compiled = torch.compile(f, fullgraph=True, backend="aot_eager")
    (expected,) = torch.autograd.grad(f(x, *augmentation), x)
    (got,) = torch.autograd.grad(compiled(x, *augmentation), x)
    assert torch.allclose(got, expected)


def test_costs_no_mac_and_one_pass_over_memory():
    x, augmentation = torch.randn(2, 3, 4, 5, requires_grad=True), draw_augmentation(2, (4, 5))
    with FlopCounterMode(display=False) as counter:
        y = diff_augment(x, augmentation)
        y.sum().backward()
    assert counter.get_flop_counts()["Global"][OP] == 0
    moved = backend.BYTES[OP](x, *augmentation, False, out=y)
    assert moved == 2 * x.numel() * 4 + 2 * (3 * 4 + 4 * 8)


# ---------------------------------------------------------------------------------------- sentences


def test_bad_arguments_get_one_sentence():
    x = torch.zeros(2, 3, 4, 4)
    with pytest.raises(ValueError, match=r"x must be \(N, C, H, W\), got shape \(3, 4, 4\)"):
        diff_augment(x[0])
    with pytest.raises(TypeError, match=r"x must be floating, got torch.uint8"):
        diff_augment(x.byte())
    with pytest.raises(ValueError, match=r"color must be \(N, 3\) = \(2, 3\), got \(1, 3\)"):
        diff_augment(x, draw_augmentation(1, (4, 4)))
    augmentation = draw_augmentation(2, (4, 4))
    with pytest.raises(TypeError, match=r"cutout must be int64, got torch.float32"):
        diff_augment(x, augmentation._replace(cutout=augmentation.cutout.float()))
    with pytest.raises(ValueError, match="policy may hold color, translation, cutout, got colour"):
        diff_augment(x, policy=("colour",))


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("color,translation,cutout", ["color", "translation", "cutout"]),
        ("color", ["color"]),
        (" cutout , color ", ["color", "cutout"]),
        ("", []),
    ],
)
def test_the_papers_form_of_a_policy(text, steps):
    x = torch.randn(2, 3, 8, 8)
    got, expected = (
        diff_augment(x, policy=policy, generator=torch.Generator().manual_seed(0)) for policy in (text, steps)
    )
    assert torch.equal(got, expected)


@pytest.mark.parametrize("text", ["colour,cutout", "color;cutout", "color,,cutout"])
def test_steps_that_do_not_exist_sentence(text):
    with pytest.raises(ValueError, match="policy may hold color, translation, cutout, got "):
        diff_augment(torch.randn(1, 3, 8, 8), policy=text)
