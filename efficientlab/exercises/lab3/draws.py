"""Judge random augmentations without knowing what was drawn.

Two right answers draw different numbers, so their outputs cannot be compared. But the output shows what was drawn:
a translated picture says by how far. So each judge recovers the draw of every picture, and fails unless

1. each output is the transform of its input for some admissible draw, and the gradient is that of this draw;
2. the pictures of one batch were drawn for one by one;
3. the draws fill their range evenly: with limits that a right answer passes but once in a million times.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import product
from typing import cast

import torch
from torch import Tensor

from efficientlab.exercises.chance import dependent, not_uniform, uneven, uniform_moments
from efficientlab.exercises.contract import CheckFailed, Judge, Values, close, describe, differs
from efficientlab.kernels.augment import Augmentation, diff_augment, neutral_augmentation

Recover = Callable[[Tensor, Tensor], Augmentation]
"""(x, y), float64 → the draws; raises `CheckFailed` for a y that no draw gives."""


def transform_judge(recover: Recover, spread: Callable[[Augmentation, tuple[int, int]], None]) -> Judge:
    """A judge of one random transform's outputs, gradients and draws.

    Inputs hold x (N, C, H, W), upstream of the same shape, and copies: how often x was repeated. Draws are judged
    where it was; then the outputs hold no gradient.
    """

    def judge(inputs: Values, expected: Values, got: Values) -> None:
        case = f"on the case: {describe(inputs)}"
        copies = cast(int, inputs["copies"])
        x, y = cast(Tensor, inputs["x"]).repeat(copies, 1, 1, 1), got["out"]
        try:
            if not isinstance(y, Tensor) or y.shape != x.shape:
                raise CheckFailed(f"the augmented pictures must have the shape of x, {tuple(x.shape)}.")
            if y.dtype != cast(Tensor, expected["out"]).dtype:
                raise CheckFailed(f"the augmented pictures have dtype {y.dtype}; x has {x.dtype}.")
            if got["x_changed"] is not False:
                raise CheckFailed("the pictures that you were given were changed.")
            if not y.isfinite().all():
                raise CheckFailed("the augmented pictures hold NaN or infinite values.")
            draws = recover(x.double(), y.double())
            spread(draws, (x.shape[2], x.shape[3]))
            if got["repeatable"] is not True:
                raise CheckFailed("the draws do not come from rng: the same seed gave other pictures.")
            if copies > 1:  # a few pictures may be drawn alike twice
                if got["moves_on"] is not True:
                    raise CheckFailed("a second call with the same rng gave the same draws: let rng run on.")
            else:
                _judge_gradient(x, cast(Tensor, inputs["upstream"]), draws, got.get("gradient"))
        except CheckFailed as failure:
            raise CheckFailed(failure.message, f"{failure.detail}\n{case}".lstrip()) from None

    return judge


def _judge_gradient(x: Tensor, upstream: Tensor, draws: Augmentation, gradient: object) -> None:
    if not isinstance(gradient, Tensor) or not gradient.any():
        raise CheckFailed("the pictures are right but no gradient comes through them.")
    leaf = x.double().requires_grad_()
    (want,) = torch.autograd.grad(diff_augment(leaf, draws), leaf, upstream.double())
    if not close(want, gradient, rtol=1e-3, atol=1e-4):
        share = differs(want, gradient, 1e-3, 1e-4).double().mean().item()
        raise CheckFailed(
            "such pictures can come of right draws, but the gradient with respect to x is wrong in "
            f"{100 * share:.0f} % of its entries: does it flow through every place where x is read, means included? Is "
            "each mean put back?"
        )


# ---------------------------------------------------------------------------------------------- colour

_RANGES = (("brightness", -0.5, 0.5), ("saturation", 0.0, 2.0), ("contrast", 0.5, 1.5))


def recover_color(x: Tensor, y: Tensor) -> Augmentation:
    """b, s, k from y = k s (x − μ) + k (μ − M) + (M + b), by least squares for each picture."""
    mean = x.mean(1, keepdim=True)  # μ (N, 1, H, W)
    middle = mean.mean((2, 3), keepdim=True)  # M (N, 1, 1, 1)
    parts = [x - mean, (mean - middle).expand_as(x), torch.ones_like(x)]
    table = torch.stack([part.flatten(1) for part in parts], 2)  # (N, C·H·W, 3)
    solved = torch.linalg.lstsq(table, y.flatten(1)[..., None]).solution  # (N, 3, 1)
    off = (table @ solved).squeeze(2) - y.flatten(1)
    if off.abs().max() > 1e-3:
        n = int(off.abs().amax(1).argmax())
        raise CheckFailed(
            f"picture {n} is no brightness, saturation and contrast of its original: the three change the parts "
            "x − μ, μ − M and M of each picture, with one factor or summand a picture."
        )
    ks, k, base = solved.squeeze(2).unbind(1)
    if (k.abs() < 1e-3).any():
        raise CheckFailed(
            f"picture {int(k.abs().argmin())} has lost the difference between a pixel's mean and the picture's mean: "
            "saturation scales about μ and adds μ again, contrast about M and adds M."
        )
    draws = torch.stack([base - middle.flatten(), ks / k, k], 1)
    n, _, h, w = x.shape
    return neutral_augmentation(n, (h, w))._replace(color=draws)


def judge_color(draws: Augmentation, size: tuple[int, int]) -> None:
    columns = draws.color.unbind(1)
    for (name, low, high), values in zip(_RANGES, columns, strict=True):
        outside = (values < low - 2e-3) | (values > high + 2e-3)
        if outside.any():
            i = int(outside.nonzero()[0])
            raise CheckFailed(
                f"picture {i} comes out as if a {name} of {values[i]:.3f} had been drawn, beyond {low:g} to {high:g}. "
                "If the draw is right: is each mean taken of the picture as the step before left it, and put back?"
            )
    for (name, low, high), values in zip(_RANGES, columns, strict=True):
        _one_by_one(values, name)
        if len(values) >= MANY and not_uniform(values, low, high):
            share = (values < (low + high) / 2).double().mean().item()
            raise CheckFailed(
                f"{name} is not uniform between {low:g} and {high:g}: its draws lie between {values.min():.3f} "
                f"and {values.max():.3f}, {100 * share:.0f} % of them in the lower half."
            )
    moments = [((low + high) / 2, (high - low) ** 2 / 12) for _, low, high in _RANGES]
    for i, j in ((0, 1), (0, 2), (1, 2)):
        _independent(f"{_RANGES[i][0]} and {_RANGES[j][0]}", *((columns[k], *moments[k]) for k in (i, j)))


# ----------------------------------------------------------------------------------------- translation


def recover_translation(x: Tensor, y: Tensor) -> Augmentation:
    """The rows u and columns v that each picture was moved by, found by trying all, the shortest first."""
    n, _, h, w = x.shape
    padded = torch.nn.functional.pad(x, (w, w, h, h))
    shifts = sorted(product(range(1 - h, h), range(1 - w, w)), key=lambda shift: max(map(abs, shift)))
    found, lost = _tried(padded, y, shifts, lambda p, u, v: p[:, :, h + u : 2 * h + u, w + v : 2 * w + v])
    if len(lost):
        _not_wrapped(x, y, int(lost[0]))
        raise CheckFailed(
            f"picture {int(lost[0])} is not its original moved by whole rows and columns, all channels alike, with "
            "zeros where nothing comes from."
        )
    return neutral_augmentation(n, (h, w))._replace(translation=found)


def _tried(
    x: Tensor, y: Tensor, places: Iterable[tuple[int, int]], changed: Callable[[Tensor, int, int], Tensor]
) -> tuple[Tensor, Tensor]:
    """The first place for each picture at which x `changed` there is y, (N, 2); and the pictures without one."""
    found, lost = torch.zeros(len(y), 2, dtype=torch.long), torch.arange(len(y))
    for place in places:
        off = (changed(x, *place) - y).abs().amax((1, 2, 3)) >= 1e-6
        found[lost[~off]] = torch.tensor(place)
        if not off.all():
            x, y, lost = x[off], y[off], lost[off]
        if not len(lost):
            break
    return found, lost


def _not_wrapped(x: Tensor, y: Tensor, i: int) -> None:
    """The commonest other way to move a picture, `torch.roll`, is called by its name."""
    _, _, h, w = x.shape
    if any(torch.equal(x[i].roll((u, v), (1, 2)), y[i]) for u in range(h) for v in range(w)):
        raise CheckFailed(
            f"picture {i} is moved in a circle, as by `torch.roll`: what leaves on one side comes in on the other, "
            "where zeros belong."
        )


def judge_translation(draws: Augmentation, size: tuple[int, int]) -> None:
    for length, values, axis in zip(size, draws.translation.unbind(1), ("rows", "columns"), strict=True):
        reach = round(length / 8)
        if values.abs().max() > reach:
            raise CheckFailed(
                f"a picture was moved by {int(values.abs().max())} {axis}; with {length} {axis} the most is {reach}."
            )
        _one_by_one(values, f"the shift by {axis}")
        _even(values + reach, 2 * reach + 1, -reach, f"the shift by {axis}")
    sides = [2 * round(length / 8) + 1 for length in size]
    rows, columns = (
        (v, 0.0, uniform_moments(n)[1]) for v, n in zip(draws.translation.unbind(1), sides, strict=True)
    )
    _independent("the shifts by rows and by columns", rows, columns)


# ---------------------------------------------------------------------------------------------- cutout


def recover_cutout(x: Tensor, y: Tensor) -> Augmentation:
    """The first row and column of each picture's hole, which may lie outside; found by trying all."""
    n, _, h, w = x.shape
    whole = (x == y).flatten(1).all(1)
    if whole.any():
        raise CheckFailed(
            f"picture {int(whole.nonzero()[0])} has no hole, although wherever the centre is drawn a quarter of the "
            "rectangle lies inside. A slice that starts below 0 is empty: start it at max(0, …)."
        )
    rows, columns = torch.arange(h), torch.arange(w)

    def cut(pictures: Tensor, top: int, left: int) -> Tensor:
        in_rows = (rows >= top) & (rows < top + h // 2)
        return pictures.masked_fill(in_rows[:, None] & (columns >= left) & (columns < left + w // 2), 0)

    found, lost = _tried(x, y, product(_nearest_first(h), _nearest_first(w)), cut)
    if len(lost):
        i = int(lost[0])
        kept = (y[i] == x[i]).all(0)  # (H, W)
        holes = (y[i] == 0).all(0) & (x[i] != 0).any(0)
        if kept.logical_or(holes).all():
            size = (int(holes.any(1).sum()), int(holes.any(0).sum()))
            raise CheckFailed(
                f"the hole of picture {i} is {size[0]} × {size[1]} where it meets the picture; it is a rectangle of "
                f"{h // 2} × {w // 2}, less what lies outside."
            )
        raise CheckFailed(
            f"picture {i} is not its original with zeros in one rectangle, the same in all channels."
        )
    return neutral_augmentation(n, (h, w))._replace(cutout=found)


def _nearest_first(length: int) -> list[int]:
    """Where a hole may begin: the places that the exercise allows, then those further out."""
    places = range(-(length // 2), length - length // 2 + 1 + length // 2)
    return sorted(places, key=lambda first: not 0 <= first + length // 4 <= length)


def judge_cutout(draws: Augmentation, size: tuple[int, int]) -> None:
    for length, corner, axis in zip(size, draws.cutout.unbind(1), ("row", "column"), strict=True):
        centre = corner + length // 4
        outside = centre[(centre < 0) | (centre > length)]
        if len(outside):
            raise CheckFailed(f"a hole has its centre at {axis} {int(outside[0])}: it must be 0 to {length}.")
        _one_by_one(centre, f"the {axis} of the hole")
        _even(centre, length + 1, 0, f"the {axis} of the hole's centre")
    rows, columns = (
        (corner + length // 4, *uniform_moments(length + 1))
        for corner, length in zip(draws.cutout.unbind(1), size, strict=True)
    )
    _independent("the row and the column of the hole", rows, columns)


# ---------------------------------------------------------------------------------------- distributions

MANY = 50
"""From so many pictures on, their draws are judged together."""

Draws = tuple[Tensor, float, float]
"""Drawn values, and the mean and variance that they should have."""


def _one_by_one(values: Tensor, name: str) -> None:
    """Many pictures that share one draw."""
    if len(values) >= MANY and values.double().std() < 1e-3 * (1 + values.double().abs().max()):
        raise CheckFailed(f"{name} is the same for every picture of the batch: draw one number a picture.")


def _even(index: Tensor, count: int, first: int, name: str) -> None:
    """Many draws from `count` values, each as likely: all must come, as often as chance allows."""
    if len(index) < MANY:
        return
    seen = torch.bincount(index, minlength=count)
    if (seen == 0).any():
        missing = ", ".join(str(first + int(i)) for i in (seen == 0).nonzero()[:, 0])
        raise CheckFailed(f"{name} is never {missing} in {len(index)} pictures.")
    if uneven(seen):
        counts = ", ".join(f"{first + i}: {int(c)}" for i, c in enumerate(seen))
        raise CheckFailed(f"{name} is not drawn evenly; times in {len(index)} pictures: {counts}.")


def _independent(names: str, a: Draws, b: Draws) -> None:
    values = torch.stack([a[0].double(), b[0].double()])
    mean, variance = (torch.tensor([[a[k]], [b[k]]], dtype=torch.float64) for k in (1, 2))
    if values.shape[1] >= MANY and dependent(values, mean, variance):
        raise CheckFailed(f"{names} are not independent: they rise and fall together, or against each other.")


color_judge = transform_judge(recover_color, judge_color)
translation_judge = transform_judge(recover_translation, judge_translation)
cutout_judge = transform_judge(recover_cutout, judge_cutout)
