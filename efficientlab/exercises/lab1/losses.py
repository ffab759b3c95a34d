"""Lab 1, the checks on objectives and training: exercises 1.1 to 1.4 and 1.11."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from efficientlab.exercises.cases import (
    left_frozen,
    parameters_or_say,
    random_tensors,
    state_of,
    tensor_of,
    watched,
)
from efficientlab.exercises.contract import (
    AnswerError,
    Check,
    Values,
    is_number,
    kind_of,
    plain,
    values_judge,
)
from efficientlab.exercises.gradients import gradient, scalar

# 1.1 · the adversarial losses


class _Patches(nn.Module):
    """A PatchGAN in small: (N, 1, H, W) twice → (N, 1, H − 1, W − 1)."""

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self.weight = nn.Parameter(weight)

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        return 2 * F.conv2d(torch.cat([a, b], 1), self.weight)


def _drive_adversarial_losses(adversarial_losses: Any, case: Values) -> Values:
    discriminator, fake = _Patches(tensor_of(case, "weight")), tensor_of(case, "fake").requires_grad_()
    weight, drawing, picture = discriminator.weight, tensor_of(case, "drawing"), tensor_of(case, "picture")
    losses = adversarial_losses(discriminator, drawing, picture, fake)
    if not isinstance(losses, tuple | list) or len(losses) != 2:
        raise AnswerError("Returned", f"returned {type(losses).__name__}; give (loss_d, loss_g).")
    loss_d, loss_g = (scalar(loss, f" as {name}") for loss, name in zip(losses, ("D", "G"), strict=True))
    return {
        "frozen": left_frozen(discriminator),
        "other_mode": not discriminator.training,
        "loss_d": loss_d.detach().clone(),
        "loss_g": loss_g.detach().clone(),
        "reaches_generator": bool(gradient(loss_d, fake).abs().sum() > 0),
        "gradient_d": gradient(loss_d, weight),
        "gradient_g": gradient(loss_g, fake),
    }


def _inputs_adversarial_losses(seed: int) -> list[Values]:
    randn = random_tensors(seed)
    return [
        {
            "weight": randn(1, 2, 2, 2),
            "drawing": randn(n, 1, h, w),
            "picture": 1 + randn(n, 1, h, w),  # apart from the fakes, so that no two means cancel
            "fake": randn(n, 1, h, w) - 1,
        }
        for n, h, w in ((4, 3, 3), (1, 2, 4), (3, 4, 2))
    ]


ADVERSARIAL_LOSSES = Check(
    name="adversarial_losses",
    drive=_drive_adversarial_losses,
    inputs=_inputs_adversarial_losses,
    judge=values_judge(
        {
            "loss_d": "the discriminator's loss",
            "loss_g": "the generator's loss",
            "reaches_generator": "both losses are right but the discriminator's has a gradient for the generator",
            "gradient_d": "the gradient of the discriminator's loss for its own weights",
            "gradient_g": "the gradient of the generator's loss for the made-up picture",
            "frozen": "both losses are right but the discriminator was left frozen: it cannot learn in its next step",
            "other_mode": "both losses are right but the discriminator was left in evaluation mode",
        }
    ),
)


# 1.2 · reconstruction, with pairs and without


class _Teacher(nn.Module):
    """Counts how often it is asked; (N, 1, H, W) → (N, 1, H, W)."""

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self.weight, self.calls = nn.Parameter(weight), 0

    def forward(self, drawing: Tensor) -> Tensor:
        self.calls += 1
        return torch.tanh(drawing * self.weight)


def _drive_reconstruction_loss(reconstruction_loss: Any, case: Values) -> Values:
    fake, teacher = tensor_of(case, "fake").requires_grad_(), _Teacher(tensor_of(case, "weight"))
    drawing, picture = tensor_of(case, "drawing"), tensor_of(case, "picture")
    changed = watched(drawing, picture)
    loss = scalar(reconstruction_loss(fake, drawing, picture if case["paired"] else None, teacher))
    return {
        "loss": loss.detach().clone(),
        "gradient": gradient(loss, fake),
        "teacher_learns": bool(gradient(loss, teacher.weight.requires_grad_()).abs().sum() > 0),
        "asked_in_vain": case["paired"] is True and teacher.calls > 0,
        "changed": changed(),
    }


def _inputs_reconstruction_loss(seed: int) -> list[Values]:
    randn = random_tensors(seed)
    return [
        {
            "fake": randn(n, 1, 2, 3),
            "drawing": randn(n, 1, 2, 3),
            "picture": 1 + randn(n, 1, 2, 3),
            "weight": randn(1),
            "paired": paired,
        }
        for n, paired in ((2, True), (3, False), (1, False))
    ]


RECONSTRUCTION_LOSS = Check(
    name="reconstruction_loss",
    drive=_drive_reconstruction_loss,
    inputs=_inputs_reconstruction_loss,
    judge=values_judge(
        {
            "loss": "the loss",
            "gradient": "the gradient with respect to the student's picture",
            "teacher_learns": "the loss is right but it has a gradient for the teacher",
            "asked_in_vain": "the loss is right but the teacher was asked in vain: there is a true picture",
            "changed": "the loss is right but the drawing or the picture that you were given was changed",
        }
    ),
)


# 1.3 · feature distillation


def _drive_distillation(Distillation: Any, case: Values) -> Values:
    student = [tensor_of(case, f"student{k}").requires_grad_() for k in range(2)]
    teacher = [tensor_of(case, f"teacher{k}").requires_grad_() for k in range(2)]
    torch.manual_seed(0)
    module = Distillation([s.shape[1] for s in student], [t.shape[1] for t in teacher])
    if not isinstance(module, nn.Module):
        raise AnswerError("Returned", "is no nn.Module.")
    wanted = state_of(case)
    parameters_or_say(module, wanted)
    module.load_state_dict(wanted)
    loss = scalar(module(student, teacher))
    return {
        "loss": loss.detach().clone(),
        "teacher_learns": any(bool(gradient(loss, t).abs().sum() > 0) for t in teacher),
        "gradient_student": torch.cat([gradient(loss, s).flatten() for s in student]),
        "gradient_maps": torch.cat([gradient(loss, p).flatten() for p in module.parameters()]),
    }


def _inputs_distillation(seed: int) -> list[Values]:
    randn = random_tensors(seed)
    cases: list[Values] = []
    for n, narrow, wide in ((2, (2, 3), (4, 5)), (1, (3, 2), (3, 4))):
        case: Values = {}
        for k, (s, t) in enumerate(zip(narrow, wide, strict=True)):
            case[f"student{k}"], case[f"teacher{k}"] = randn(n, s, 2, 3), (k + 1) * randn(n, t, 2, 3)
            case[f"state.maps.{k}.weight"], case[f"state.maps.{k}.bias"] = randn(t, s, 1, 1), randn(t)
        cases.append(case)
    return cases


DISTILLATION = Check(
    name="Distillation",
    drive=_drive_distillation,
    inputs=_inputs_distillation,
    judge=values_judge(
        {
            "loss": "the loss",
            "teacher_learns": "the loss is right but it has a gradient for the teacher's features",
            "gradient_student": "the gradient with respect to the student's features",
            "gradient_maps": "the gradient with respect to the maps' weights",
        }
    ),
)


# 1.4 · the total objective


def _drive_total_objective(total_objective: Any, case: Values) -> Values:
    x = tensor_of(case, "x").requires_grad_()
    calls: dict[str, int] = {"GAN": 0, "reconstruction": 0, "distillation": 0}

    def term(name: str, power: int) -> Callable[[], Tensor]:
        def compute() -> Tensor:
            calls[name] += 1
            return (x**power).mean()

        return compute

    terms = {name: term(name, power) for power, name in enumerate(calls, 1)}
    # in another order: names say what belongs together
    weights = {name: float(case[name]) for name in reversed(calls)}
    given = dict(terms), dict(weights)
    loss = scalar(total_objective(terms, weights))
    return {
        "loss": loss.detach().clone(),
        "gradient": gradient(loss, x),
        "computed_in_vain": any(calls[name] > 0 for name in calls if case[name] == 0),
        "computed_twice": max(calls.values()) > 1,
        "changed": (terms, weights) != given,
    }


def _inputs_total_objective(seed: int) -> list[Values]:
    randn = random_tensors(seed)
    weights = ((1.0, 100.0, 0.5), (0.0, 10.0, 0.0), (0.3, 0.0, 3.0), (0.5, -2.0, 0.0), (2e-3, 0.0, 0.0))
    return [
        {
            "x": 0.5 + randn(5).abs(),
            "GAN": a,
            "reconstruction": b,
            "distillation": c + abs(randn(()).item()) * (c > 0),
        }
        for a, b, c in weights
    ]


TOTAL_OBJECTIVE = Check(
    name="total_objective",
    drive=_drive_total_objective,
    inputs=_inputs_total_objective,
    judge=values_judge(
        {
            "loss": "the total",
            "gradient": "the gradient of the total",
            "computed_in_vain": "the total is right but a term of weight 0 was computed: that costs time",
            "computed_twice": "the total is right but a term was computed more than once",
            "changed": "the total is right but a dictionary that you were given was changed",
        }
    ),
)


# 1.11 · the training loop


class _Generator(nn.Module):
    """A generator in small: a picture, and features on the way."""

    def __init__(self) -> None:
        super().__init__()
        self.inner, self.outer = nn.Conv2d(1, 2, 1), nn.Conv2d(2, 1, 1)

    def with_features(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        features = torch.tanh(self.inner(x))
        return torch.tanh(self.outer(features)), [features]


class _Discriminator(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Conv2d(2, 1, 2)

    def forward(self, drawing: Tensor, picture: Tensor) -> Tensor:
        scores: Tensor = self.net(torch.cat([drawing, picture], 1))
        return scores


def _fill(module: nn.Module, phase: float) -> nn.Module:
    """Weights from a formula: no stored tensors, and the same on every machine."""
    with torch.no_grad():
        for number, parameter in enumerate(module.parameters(), 1):
            steps = torch.arange(parameter.numel(), dtype=torch.float32)
            parameter.copy_((0.8 * torch.sin(phase + number + 1.7 * steps)).view_as(parameter))
    return module


def _drive_fine_tune(fine_tune: Any, case: Values) -> Values:
    phase = float(case["phase"])
    generator, discriminator = _fill(_Generator(), phase), _fill(_Discriminator(), phase + 1)
    readout = nn.Parameter(torch.tensor([0.5, -0.3]))
    drawings, pictures = tensor_of(case, "drawings"), tensor_of(case, "pictures")  # (steps, N, 1, H, W)

    def discriminator_loss(batch: Any) -> Tensor:
        real = batch.discriminator(batch.drawing, batch.picture)
        fake = batch.discriminator(batch.drawing, batch.fake.detach())
        return F.softplus(-real).mean() + F.softplus(fake).mean()

    def generator_loss(batch: Any) -> Tensor:
        score = batch.discriminator(batch.drawing, batch.fake)
        mapped = torch.einsum("nchw,c->nhw", batch.features[0], readout)
        return F.softplus(-score).mean() + (batch.fake - batch.picture).abs().mean() + mapped.square().mean()

    pairs = list(zip(drawings.unbind(0), pictures.unbind(0), strict=True))
    # `module.parameters()` is an iterator: what is read twice is empty the second time
    also_train = iter([readout]) if case["iterator"] else [readout]
    losses = fine_tune(
        generator, discriminator, pairs, generator_loss, discriminator_loss, also_train, case["lr"]
    )
    if not isinstance(losses, tuple | list) or len(losses) != 2:
        raise AnswerError("Returned", f"returned {kind_of(losses)}; give (losses_d, losses_g).")
    for name, told in zip(("losses_d", "losses_g"), losses, strict=True):
        if not isinstance(told, tuple | list | Tensor) or not all(is_number(plain(loss)) for loss in told):
            raise AnswerError(
                "Returned", f"gives {kind_of(told)} as {name}; give a list of one number a step."
            )
    flat = [torch.cat([p.detach().flatten() for p in m.parameters()]) for m in (generator, discriminator)]
    return {
        "generator": flat[0],
        "discriminator": flat[1],
        "maps": readout.detach().clone(),
        "losses_d": torch.tensor([float(plain(loss)) for loss in losses[0]]),
        "losses_g": torch.tensor([float(plain(loss)) for loss in losses[1]]),
    }


def _inputs_fine_tune(seed: int) -> list[Values]:
    randn = random_tensors(seed)
    return [
        {
            "drawings": randn(steps, 2, 1, 3, 3),
            "pictures": randn(steps, 2, 1, 3, 3),
            "lr": lr,
            "phase": phase,
            "iterator": iterator,
        }
        for steps, lr, phase, iterator in (
            (1, 0.1, 0.0, False),
            (2, 0.1, 0.5, True),
            (5, 0.05, randn(()).item(), True),
        )
    ]


FINE_TUNE = Check(
    name="fine_tune",
    drive=_drive_fine_tune,
    inputs=_inputs_fine_tune,
    judge=values_judge(
        {
            "discriminator": "the vector of the discriminator's weights after training",
            "generator": "the vector of the generator's weights after training",
            "maps": "what `also_train` holds, after training,",
            "losses_d": "the list of the discriminator's losses",
            "losses_g": "the list of the generator's losses",
        },
        rtol=1e-3,
        atol=1e-4,
    ),
)
