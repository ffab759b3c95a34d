"""Lab 3, the checks on where T goes: exercises 3.6 and 3.7."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor

from efficientlab.exercises.cases import left_frozen, random_tensors, tensor_of
from efficientlab.exercises.contract import (
    Check,
    Values,
    values_judge,
)
from efficientlab.exercises.gradients import gradient, scalar

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


_LEFT = {
    "frozen": "the loss is right but the discriminator was left frozen: it cannot learn in its next step",
    "other_mode": "the loss is right but the discriminator was left in evaluation mode",
}


def _warp(x: Tensor) -> Tensor:
    """An augmentation in small: differentiable, without draws, and each picture alone: it reads the mean of its
    channels, as colour does, and its values may leave [−1, 1].
    """
    return 0.5 * x.roll(1, 3) + 0.3 * x.square() + 0.4 * x.mean(1, keepdim=True) + 0.2


def _drive_discriminator_loss(discriminator_loss: Any, case: Values) -> Values:
    discriminator = _Judge(tensor_of(case, "weight"))
    latent = tensor_of(case, "fake").requires_grad_()
    real, fake = tensor_of(case, "real"), torch.tanh(latent)
    loss = scalar(discriminator_loss(discriminator, real, fake, _warp))
    return {
        "fake_cut": not fake.requires_grad,
        "frozen": left_frozen(discriminator),
        "other_mode": not discriminator.training,
        "loss": loss.detach(),
        "discriminator": gradient(loss, discriminator.weight),
        "generator": gradient(loss, latent),
        "pictures": discriminator.seen,
    }


def _drive_generator_loss(generator_loss: Any, case: Values) -> Values:
    discriminator = _Judge(tensor_of(case, "weight"))
    latent = tensor_of(case, "fake").requires_grad_()
    loss = scalar(generator_loss(discriminator, torch.tanh(latent), _warp))
    return {
        "frozen": left_frozen(discriminator),
        "other_mode": not discriminator.training,
        "loss": loss.detach(),
        "generator": gradient(loss, latent),
        "pictures": discriminator.seen,
    }


def _inputs_losses(seed: int, real: bool) -> list[Values]:
    randn = random_tensors(seed)
    cases: list[Values] = []
    # many pictures with scores on both sides of the margin, that T moves beyond [−1, 1], and a few of other shapes
    for n, c, scale in ((3, 1, 0.4), (12, 2, 2.0), (1, 3, 0.2)):
        # real pictures score higher, so that no two means cancel
        case: Values = {"weight": scale * (0.3 + randn(4 * c).abs()), "fake": 2 * randn(n, c, 2, 2) - 1}
        if real:
            case["real"] = randn(n, c, 2, 2) + 0.8
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
            "fake_cut": "the loss is right but the generated pictures that you were given were cut off from the "
            "generator: `detach_()` cuts them off for good, `detach()` gives a copy",
            **_LEFT,
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
            **_LEFT,
        }
    ),
)
