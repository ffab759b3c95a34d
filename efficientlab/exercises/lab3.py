"""Lab 3, "A GAN from a hundred pictures": its exercises as data, and the checks behind them."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from efficientlab.exercises.cases import random_tensors, tensor_of
from efficientlab.exercises.contract import (
    AnswerError,
    Check,
    CheckFailed,
    Exercise,
    Judge,
    Values,
    close,
    describe,
    returned_tensor,
    values_judge,
)
from efficientlab.exercises.draws import color_judge, cutout_judge, translation_judge
from efficientlab.exercises.guarded import UNWRITTEN, Guarded, kernel_device, kernel_judge, kernel_result
from efficientlab.exercises.lab import Lab

# 3.1 · the discriminator's overfitting


class _Scores(torch.nn.Module):
    """A discriminator in small, with a dropout that shows the mode it is asked in."""

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(weight)
        self.dropout = torch.nn.Dropout(0.9)

    def forward(self, x: Tensor) -> Tensor:
        return torch.tanh(self.dropout(x.flatten(1)) @ self.weight)  # (N, C, H, W) → (N,)


def _drive_overfitting(overfitting: Any, case: Values) -> Values:
    discriminator = _Scores(tensor_of(case, "weight"))
    discriminator.train(bool(case["training"]))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        told = overfitting(
            discriminator, tensor_of(case, "train"), tensor_of(case, "held_out"), tensor_of(case, "fake")
        )
    if not isinstance(told, dict):
        raise AnswerError("Returned", f"returned {type(told).__name__} where a dictionary belongs.")
    rates: Values = {}
    for key, value in told.items():
        if isinstance(value, Tensor | bool) or not isinstance(value, int | float):
            raise AnswerError("Returned", f"gives {key!r} as {type(value).__name__}; give a Python number.")
        rates[str(key)] = float(value)
    rates["mode_kept"] = discriminator.training == case["training"]
    return rates


def _inputs_overfitting(seed: int) -> list[Values]:
    randn = random_tensors(seed)
    cases: list[Values] = []
    for a, b, c, taste, training in (
        (23, 14, 15, 0.1, False),
        (9, 16, 21, -0.2, True),
        (1, 7, 2, 0.1, True),
    ):
        weight = 0.3 * randn(12)
        cases.append(
            {
                "weight": weight,
                "train": randn(a, 3, 2, 2) + taste * weight.view(3, 2, 2),
                "held_out": randn(b, 3, 2, 2),
                "fake": randn(c, 3, 2, 2),
                "training": training,
            }
        )
    return cases


OVERFITTING = Check(
    name="overfitting",
    drive=_drive_overfitting,
    inputs=_inputs_overfitting,
    judge=values_judge(
        {
            "train": "train, the share of training pictures with a positive score,",
            "held_out": "held_out, the share of held-out pictures with a positive score,",
            "fake": "fake, the share of generated pictures with a positive score,",
            "gap": "gap",
            "mode_kept": "the discriminator was left in another mode than you found it in",
        }
    ),
)


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
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed + other)  # of the generator that must not be used
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
    out["gradient"] = torch.zeros_like(leaf) if gradient is None else gradient
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
    copies=160,
    whole=False,
)
TRANSLATION = _transform(
    "translation", translation_judge, few=((2, 1, 8, 16), (1, 2, 16, 8)), one=(1, 8, 16), copies=120
)
CUTOUT = _transform("cutout", cutout_judge, few=((3, 2, 8, 4), (3, 1, 4, 12)), one=(1, 8, 4), copies=240)


# 3.5 · the policy


def _drive_policy(diff_augment: Any, case: Values) -> Values:
    leaf, upstream, seed = tensor_of(case, "x"), tensor_of(case, "upstream"), case["seed"]
    assert isinstance(seed, int)
    calls: list[str] = []

    def step(name: str, f: Callable[[Tensor, Tensor], Tensor]) -> Callable[[Tensor, torch.Generator], Tensor]:
        def run(x: Tensor, rng: torch.Generator) -> Tensor:
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
    except (ValueError, KeyError) as error:
        if "blur" not in str(case["policy"]):
            raise
        return {"refused": isinstance(error, ValueError) and "blur" in str(error)}
    gradient = None
    if y.requires_grad:
        (gradient,) = torch.autograd.grad(y, leaf, upstream, allow_unused=True)
    return {
        "refused": False,
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
    if got["refused"] is not expected["refused"]:
        raise CheckFailed("a policy with an unknown step must raise a ValueError that names the step.", case)
    if "calls" not in expected:
        return
    for key, name in (
        ("calls", "the order in which the steps were called"),
        ("out", "the augmented pictures"),
        ("gradient", "the gradient with respect to x"),
    ):
        if not close(expected[key], got[key]):
            detail = f"called: {got['calls'] or 'nothing'}\n{case}"
            raise CheckFailed(f"{name} is not what the policy {inputs['policy']!r} says.", detail)


POLICY = Check(name="diff_augment", drive=_drive_policy, inputs=_inputs_policy, judge=_judge_policy)


# 3.6, 3.7 · where T goes


class _Judge(torch.nn.Module):
    """A discriminator in small that counts how many pictures it was shown."""

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(weight)
        self.seen = 0

    def forward(self, x: Tensor) -> Tensor:
        self.seen += len(x)
        return torch.sin(2 * x.flatten(1)) @ self.weight  # (N, C, H, W) → (N,)


def _warp(x: Tensor) -> Tensor:
    """An augmentation in small: differentiable, each picture alone, and without draws."""
    return 0.5 * x.roll(1, 3) + 0.3 * x.square() + 0.2


def _gradient(loss: Tensor, leaf: Tensor) -> Tensor:
    """The gradient of the loss; zeros where there is none."""
    if not loss.requires_grad:
        return torch.zeros_like(leaf)
    (gradient,) = torch.autograd.grad(loss, leaf, retain_graph=True, allow_unused=True)
    return torch.zeros_like(leaf) if gradient is None else gradient


def _drive_discriminator_loss(discriminator_loss: Any, case: Values) -> Values:
    discriminator = _Judge(tensor_of(case, "weight"))
    latent = tensor_of(case, "fake").requires_grad_()
    real, fake = tensor_of(case, "real"), torch.tanh(latent)
    loss = returned_tensor(discriminator_loss(discriminator, real, fake, _warp))
    return {
        "loss": loss.detach(),
        "discriminator": _gradient(loss, discriminator.weight),
        "generator": _gradient(loss, latent),
        "pictures": discriminator.seen,
    }


def _drive_generator_loss(generator_loss: Any, case: Values) -> Values:
    discriminator = _Judge(tensor_of(case, "weight"))
    latent = tensor_of(case, "fake").requires_grad_()
    loss = returned_tensor(generator_loss(discriminator, torch.tanh(latent), _warp))
    return {
        "loss": loss.detach(),
        "generator": _gradient(loss, latent),
        "pictures": discriminator.seen,
    }


def _inputs_losses(seed: int, real: bool) -> list[Values]:
    randn = random_tensors(seed)
    cases: list[Values] = []
    for n, c, scale in ((3, 1, 0.4), (4, 2, 1.0), (1, 3, 0.2)):
        case: Values = {"weight": scale * randn(4 * c), "fake": randn(n, c, 2, 2)}
        if real:
            case["real"] = randn(n, c, 2, 2)
        cases.append(case)
    return cases


DISCRIMINATOR_LOSS = Check(
    name="discriminator_loss",
    drive=_drive_discriminator_loss,
    inputs=partial(_inputs_losses, real=True),
    judge=values_judge(
        {
            "loss": "the discriminator's loss",
            "discriminator": "the gradient for the discriminator's weights",
            "generator": "the gradient that reaches the generator, which must be zero in this step,",
            "pictures": "the number of pictures that the discriminator was shown",
        }
    ),
)

GENERATOR_LOSS = Check(
    name="generator_loss",
    drive=_drive_generator_loss,
    inputs=partial(_inputs_losses, real=False),
    judge=values_judge(
        {
            "loss": "the generator's loss",
            "generator": "the gradient that reaches the generator",
            "pictures": "the number of pictures that the discriminator was shown",
        }
    ),
)


# 3.8 · the comparison, predicted

VARIANTS = ("none", "reals only", "D only", "DiffAugment")


def _drive_prediction(prediction: Any, case: Values) -> Values:
    if not isinstance(prediction, dict):
        raise AnswerError("Returned", f"is {type(prediction).__name__}; write a dictionary, name: number.")
    numbers = {k: v for k, v in prediction.items() if isinstance(v, int | float) and not isinstance(v, bool)}
    return {
        "variants": ", ".join(sorted(map(str, prediction))),
        "numbers": len(numbers) == len(prediction),
        "ranks": ", ".join(f"{float(v):g}" for v in sorted(numbers.values())),
    }


def _judge_prediction(inputs: Values, expected: Values, got: Values) -> None:
    given, wanted = (set(str(values["variants"]).split(", ")) for values in (got, expected))
    if given != wanted:
        missing, unknown = ", ".join(sorted(wanted - given)), ", ".join(sorted(given - wanted))
        raise CheckFailed(f"missing from the prediction: {missing or 'none'}; unknown: {unknown or 'none'}.")
    if got["numbers"] is not True:
        raise CheckFailed("every prediction is a number: the place, from 1 (best) to 4 (worst).")
    if got["ranks"] != expected["ranks"]:
        raise CheckFailed(f"the places are {got['ranks']}; give each of 1, 2, 3 and 4 once.")


PREDICTION = Check(
    name="fid_ranking",
    drive=_drive_prediction,
    inputs=lambda seed: [{"seed": seed}],
    judge=_judge_prediction,
)


# 3.9 · leakage


def _drive_leakage(leakage: Any, case: Values) -> Values:
    clean, augmented, samples = (tensor_of(case, key) for key in ("clean", "augmented", "samples"))
    weight = tensor_of(case, "weight")

    def detector(x: Tensor) -> Tensor:
        return x.flatten(1) @ weight  # logits (N,): positive for augmented

    share = leakage(detector, samples, clean, augmented)
    if isinstance(share, Tensor | bool) or not isinstance(share, int | float):
        raise AnswerError("Returned", f"returned {type(share).__name__}; return a Python number.")
    return {"share": float(share)}


def _inputs_leakage(seed: int) -> list[Values]:
    generator = torch.Generator().manual_seed(seed)
    randn = partial(torch.randn, generator=generator)
    weight = F.normalize(randn(8), dim=0)

    def pictures(n: int, middle: float) -> Tensor:
        flat = randn(n, 8)
        flat += (middle - flat @ weight + 0.7 * randn(n))[:, None] * weight  # logits around `middle`
        return flat.view(n, 2, 2, 2)

    cases: list[Values] = []
    for a, b, c, middle in ((40, 30, 50, 0.1), (30, 60, 20, -0.2), (20, 20, 30, -4.0), (25, 50, 40, 4.0)):
        cases.append(
            {
                "clean": pictures(a, -0.5),
                "augmented": pictures(b, 0.6),
                "samples": pictures(c, middle),
                "weight": weight,
            }
        )
    return cases


LEAKAGE = Check(
    name="leakage",
    drive=_drive_leakage,
    inputs=_inputs_leakage,
    judge=values_judge({"share": "the estimated share of augmented pictures"}, rtol=1e-6, atol=1e-6),
)


# 3.11 · kernel corner


def _drive_kernel(augment_kernel: Any, case: Values) -> Values:
    x, places = tensor_of(case, "x"), tensor_of(case, "places")
    n, channels, height, width = x.shape
    pixels, block = height * width, 8
    guard = channels * pixels + block  # what a forgotten mask can reach
    source, target = Guarded(x, guard), Guarded(torch.full_like(x, UNWRITTEN), guard, 1e3)
    augment_kernel[(n * channels, (pixels + block - 1) // block)](
        source.inner,
        target.inner,
        places.to(kernel_device()),
        channels,
        height,
        width,
        case["cut_height"],
        case["cut_width"],
        BLOCK=block,
    )
    return kernel_result("augmented", source, target)


def _inputs_kernel(seed: int) -> list[Values]:
    generator = torch.Generator().manual_seed(seed)
    cases: list[Values] = []
    for n, c, h, w in ((3, 2, 4, 6), (2, 1, 6, 3), (2, 3, 3, 5)):
        reach, cut = (2, 1), (h // 2, w // 2)
        shift = [torch.randint(-r, r + 1, (n,), generator=generator) for r in reach]
        corner = [
            torch.randint(-k // 2, s - k // 2 + 1, (n,), generator=generator)
            for k, s in zip(cut, (h, w), strict=True)
        ]
        shift[0][0], shift[1][0] = 2, -1  # at least one picture moves both ways
        cases.append(
            {
                "x": torch.randn(n, c, h, w, generator=generator),
                "places": torch.stack([*shift, *corner], 1).to(torch.int32),
                "cut_height": cut[0],
                "cut_width": cut[1],
            }
        )
    return cases


KERNEL = Check(
    name="augment_kernel",
    drive=_drive_kernel,
    inputs=_inputs_kernel,
    judge=kernel_judge("augmented", "the translated and cut picture"),
)


lab = Lab(
    number=3,
    slug="lab3_diffaugment",
    title="A GAN from a hundred pictures",
    exercises=(
        Exercise(
            "3.1",
            "What the discriminator knows by heart",
            "build",
            points=8,
            minutes=6,
            stars=1,
            check=OVERFITTING,
        ),
        Exercise(
            "3.2",
            "Brightness, saturation, contrast",
            "build",
            points=18,
            minutes=12,
            stars=2,
            check=COLOR,
        ),
        Exercise("3.3", "Translation", "build", points=14, minutes=12, stars=3, check=TRANSLATION),
        Exercise("3.4", "Cutout", "build", points=12, minutes=10, stars=2, check=CUTOUT),
        Exercise("3.5", "The policy", "build", points=6, minutes=4, stars=1, check=POLICY),
        Exercise(
            "3.6",
            "T in the discriminator's step",
            "build",
            points=12,
            minutes=8,
            stars=2,
            check=DISCRIMINATOR_LOSS,
        ),
        Exercise(
            "3.7", "T in the generator's step", "build", points=8, minutes=5, stars=2, check=GENERATOR_LOSS
        ),
        Exercise(
            "3.8", "Which T wins, before you train", "predict", points=4, minutes=4, stars=1, check=PREDICTION
        ),
        Exercise("3.9", "Measure the leak", "build", points=10, minutes=8, stars=2, check=LEAKAGE),
        Exercise("3.10", "What did the hundred pictures cost?", "investigate", points=8, minutes=12, stars=2),
        Exercise(
            "3.11",
            "Kernel corner: translation and cutout in Triton",
            "kernel",
            points=10,
            minutes=40,
            stars=3,
            check=KERNEL,
        ),
    ),
)
