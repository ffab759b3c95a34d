"""The judges of random transforms: draws are recovered, right answers pass whatever they drew, wrong ones do not."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from efficientlab.exercises.contract import CheckFailed
from efficientlab.exercises.lab3.draws import (
    judge_color,
    judge_cutout,
    judge_translation,
    recover_color,
    recover_cutout,
    recover_translation,
)
from efficientlab.kernels.augment import diff_augment, draw_augmentation

SIZE = (8, 16)
KINDS = {
    "color": (recover_color, judge_color),
    "translation": (recover_translation, judge_translation),
    "cutout": (recover_cutout, judge_cutout),
}
seeds = st.integers(0, 2**31)


def pictures(n, seed):
    return torch.randn(n, 3, *SIZE, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@given(seeds)
@settings(deadline=None, max_examples=8)
def test_what_the_kernel_drew_is_recovered_and_accepted(kind, seed):
    recover, accept = KINDS[kind]
    x = pictures(200, seed)
    drawn = draw_augmentation(200, SIZE, policy={kind}, generator=torch.Generator().manual_seed(seed))
    found = recover(x, diff_augment(x, drawn))
    for name in ("color", "translation", "cutout"):
        assert torch.allclose(getattr(found, name).double(), getattr(drawn, name).double(), atol=1e-4), name
    accept(found, SIZE)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_right_draws_are_accepted_a_thousand_times(kind):
    rng = torch.Generator().manual_seed(0)
    for _ in range(1000):
        KINDS[kind][1](draw_augmentation(200, SIZE, policy={kind}, generator=rng), SIZE)


@pytest.mark.parametrize("kind", KINDS)
def test_an_output_that_no_draw_gives_is_refused(kind):
    x = pictures(4, 0)
    with pytest.raises(CheckFailed, match="picture"):
        KINDS[kind][0](x, x.sin())


@pytest.mark.parametrize(
    ("kind", "column", "change", "sentence"),
    [
        ("color", 0, lambda b: b + 0.4, "as if a brightness of .* had been drawn"),
        ("color", 1, lambda s: s / 2, "saturation is not uniform"),
        ("color", 2, lambda k: k.mean().expand_as(k), "contrast is the same for every picture"),
        ("translation", 0, lambda u: u.clamp(max=0), "the shift by rows is never 1 "),
        ("translation", 1, lambda v: 2 * v, "moved by 4 columns; with 16 columns the most is 2"),
        ("cutout", 0, lambda i: i.clamp(min=-1), "the row of the hole's centre is never 0"),
        ("cutout", 1, lambda j: j[:1].expand_as(j), "the column of the hole is the same"),
    ],
)
def test_wrong_distributions_are_named(kind, column, change, sentence):
    drawn = draw_augmentation(200, SIZE, policy={kind}, generator=torch.Generator().manual_seed(0))
    values = getattr(drawn, kind).clone()
    values[:, column] = change(values[:, column].clone())
    with pytest.raises(CheckFailed, match=sentence):
        KINDS[kind][1](drawn._replace(**{kind: values}), SIZE)


@pytest.mark.parametrize("kind", ["color", "translation", "cutout"])
def test_dependent_draws_are_named(kind):
    drawn = draw_augmentation(200, SIZE, policy={kind}, generator=torch.Generator().manual_seed(0))
    values = getattr(drawn, kind).clone()
    order = values[:, 0].argsort()
    values[:, 1] = values[:, 1].sort().values[order.argsort()]  # the larger the one, the larger the other
    with pytest.raises(CheckFailed, match="not independent"):
        KINDS[kind][1](drawn._replace(**{kind: values}), SIZE)
