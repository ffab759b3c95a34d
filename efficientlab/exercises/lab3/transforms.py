"""Lab 3, the checks on the random transforms and their policy: exercises 3.2 to 3.5."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor

from efficientlab.exercises.cases import other_generators, random_tensors, tensor_of
from efficientlab.exercises.contract import (
    AnswerError,
    Check,
    CheckFailed,
    Judge,
    Values,
    close,
    describe,
    returned_tensor,
)
from efficientlab.exercises.lab3.draws import color_judge, cutout_judge, translation_judge

# 3.2, 3.3, 3.4 · random transforms


def _drive_transform(transform: Any, case: Values) -> Values:
    leaf, upstream, seed = tensor_of(case, "x"), tensor_of(case, "upstream"), case["seed"]
    assert isinstance(seed, int) and isinstance(case["copies"], int)
    leaf.requires_grad_()
    x = leaf.repeat(
        case["copies"], 1, 1, 1
    )  # not a leaf, so that a change in place runs and can be shown for what it is
    before = x.detach().clone()

    def call(x: Tensor, rng: torch.Generator, other: int) -> Tensor:
        with other_generators(seed + other):  # those that must not be used
            return returned_tensor(transform(x, rng))

    rng = torch.Generator().manual_seed(seed)
    y = call(x, rng, 1)
    changed = not torch.equal(x.detach(), before)
    if y.shape != x.shape:
        raise AnswerError("Returned", f"returned shape {tuple(y.shape)} for an x of shape {tuple(x.shape)}.")
    after = call(before.clone(), rng, 1)
    again = call(before.clone(), torch.Generator().manual_seed(seed), 2)
    out: Values = {
        "out": y.detach(),
        "x_changed": changed,
        "repeatable": torch.equal(again, y.detach()),
        "moves_on": not torch.equal(after, y.detach()),
    }
    if case["copies"] > 1:  # of this case only the draws count
        if case["whole"]:  # whole numbers, in few bytes
            out["out"] = y.detach().round().clamp(0, 255).to(torch.uint8)
        return out
    gradient = None
    if y.requires_grad:
        (gradient,) = torch.autograd.grad(y, leaf, upstream.to(y.dtype), allow_unused=True)
    if gradient is not None:  # zeros would be those of every answer that has none, and name one for another
        out["gradient"] = gradient
    return out


def _inputs_transform(
    seed: int, few: tuple[tuple[int, ...], ...], one: tuple[int, ...], copies: int, whole: bool
) -> list[Values]:
    """Cases of few pictures, for values and gradients, and one of many copies of a picture, for the draws."""
    generator = torch.Generator().manual_seed(seed)
    randn = partial(torch.randn, generator=generator)
    cases: list[Values] = []
    for i, shape in enumerate((*few, few[0], few[0])):
        dtype = torch.float64 if i == len(few) else torch.float32
        x, upstream = randn(shape, dtype=dtype), randn(shape, dtype=dtype)
        if i == len(few) + 1:
            x = x.to(memory_format=torch.channels_last)
        cases.append({"x": x, "upstream": upstream, "copies": 1})
    x = torch.arange(1.0, 1 + math.prod(one)).view(one) if whole else randn(one)
    cases.append({"x": x[None], "upstream": torch.zeros(1), "copies": copies})
    for case in cases:
        case.update(seed=int(torch.randint(1 << 30, (), generator=generator)), whole=whole)
    return cases


def _transform(name: str, judge: Judge, *, whole: bool = True, **shapes: Any) -> Check:
    inputs = partial(_inputs_transform, whole=whole, **shapes)
    return Check(name=name, drive=_drive_transform, inputs=inputs, judge=judge)


COLOR = _transform(
    "color",
    color_judge,
    few=((3, 3, 3, 4), (2, 2, 5, 4), (1, 4, 2, 3)),
    one=(3, 2, 2),
    copies=800,
    whole=False,
)
TRANSLATION = _transform(
    "translation", translation_judge, few=((2, 1, 8, 16), (1, 2, 16, 8)), one=(1, 8, 8), copies=800
)
CUTOUT = _transform("cutout", cutout_judge, few=((3, 2, 8, 4), (3, 1, 4, 12)), one=(1, 8, 4), copies=1000)


# 3.5 · the policy


def _drive_policy(diff_augment: Any, case: Values) -> Values:
    leaf, upstream, seed = tensor_of(case, "x"), tensor_of(case, "upstream"), case["seed"]
    assert isinstance(seed, int)
    calls: list[str] = []

    def step(name: str, f: Callable[[Tensor, Tensor], Tensor]) -> Callable[..., Tensor]:
        def run(x: Tensor, rng: torch.Generator | None = None) -> Tensor:
            if rng is None:
                raise AnswerError("Returned", "calls a step without `rng`: every step takes (x, rng).")
            calls.append(name)
            return f(x, torch.rand(len(x), 1, 1, 1, generator=rng, dtype=x.dtype))

        return run

    steps = {  # no two of them commute
        "color": step("color", lambda x, r: x * (1 + r) + 1),
        "translation": step("translation", lambda x, r: x.roll(1, 2) * x + r),
        "cutout": step("cutout", lambda x, r: torch.tanh(x - r)),
    }
    leaf.requires_grad_()
    rng = torch.Generator().manual_seed(seed)
    try:
        y = returned_tensor(diff_augment(leaf, case["policy"], steps, rng))
    except AnswerError:
        raise
    except Exception as error:
        if "blur" not in str(case["policy"]):
            raise
        told = str(error).replace(str(case["policy"]), "")  # the policy as it came names no step alone
        return {"refused": type(error).__name__, "names_it": "blur" in told}
    gradient = None
    if y.requires_grad:
        (gradient,) = torch.autograd.grad(y, leaf, upstream, allow_unused=True)
    return {
        "refused": "nothing",
        "names_it": False,
        "calls": ", ".join(calls),
        "out": y.detach(),
        "gradient": torch.zeros_like(leaf) if gradient is None else gradient,
    }


def _inputs_policy(seed: int) -> list[Values]:
    randn = random_tensors(seed)
    policies = ("color,translation,cutout", "cutout,color", "translation", "", "color,blur", "color,color")
    return [
        {"x": randn(3, 2, 4, 4), "upstream": randn(3, 2, 4, 4), "policy": policy, "seed": seed + i}
        for i, policy in enumerate(policies)
    ]


def _judge_policy(inputs: Values, expected: Values, got: Values) -> None:
    case = f"on the case: {describe(inputs)}"
    if got["refused"] != expected["refused"]:
        raise CheckFailed(
            f"a policy with an unknown step must raise a ValueError that names the step; it raises {got['refused']}.",
            case,
        )
    if got["names_it"] is not expected["names_it"]:
        raise CheckFailed("the unknown step raises a ValueError; its text must name the step, 'blur'.", case)
    if "calls" not in expected:
        return
    for key, name in (
        ("calls", "the order in which the steps were called is"),
        ("out", "the augmented pictures are"),
        ("gradient", "the gradient with respect to x is"),
    ):
        if not close(expected[key], got[key]):
            detail = f"called: {got['calls'] or 'nothing'}\n{case}"
            raise CheckFailed(f"{name} not what the policy {inputs['policy']!r} says.", detail)


POLICY = Check(name="diff_augment", drive=_drive_policy, inputs=_inputs_policy, judge=_judge_policy)
