"""Lab 2, the checks on training: exercises 2.7 to 2.9."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from efficientlab.exercises.cases import (
    in_single,
    left_frozen,
    parameters_or_say,
    random_tensors,
    state_of,
    tensor_of,
    watched,
)
from efficientlab.exercises.contract import AnswerError, Check, Values, returned_tensor, values_judge
from efficientlab.exercises.gradients import gradient, scalar
from efficientlab.exercises.lab2.networks import wave


def pictures_of(case: Values) -> dict[int, Tensor]:
    """What a case holds as "picture.SIZE", by size."""
    return {
        int(k.removeprefix("picture.")): tensor_of(case, k).requires_grad_()
        for k in case
        if k.startswith("picture.")
    }


def held(pictures: dict[int, Tensor]) -> list[tuple[int, int]]:
    """Which tensors a dictionary holds: one that is put in another's place shows."""
    return [(size, id(picture)) for size, picture in pictures.items()]


def network_of(function: Callable[..., Tensor], weight: nn.Parameter) -> nn.Module:
    """A function as a network of this parameter: an answer may freeze it, or ask for its mode."""
    network = nn.Module()
    network.weight, network.forward = weight, function
    return network


# 2.7 · one discriminator for all sizes


def _drive_discriminator_loss(discriminator_loss: Any, case: Values) -> Values:
    weight = nn.Parameter(tensor_of(case, "weight"))  # (codes, 3)
    fakes, asked = pictures_of(case), []
    place = torch.tensor([0.75, 0.25], dtype=torch.float64)

    def scores(picture: Tensor, code: Tensor) -> Tensor:
        """Scores that depend on size, pixels and code: (N, 3, s, s), (N, 2) → (N,)."""
        size = picture.shape[-1]
        asked.append(size)
        pattern = 1 + wave((3, size, size), size)
        told = weight[code].mul(place[:, None]).sum(1)  # a code has an order
        return 2 * (picture * pattern).mean((2, 3)).mul(told).sum(1)

    discriminator = network_of(scores, weight)
    sizes = tuple(int(s) for s in str(case["judged"]).split())
    real = tensor_of(case, "real")
    code, real_code = tensor_of(case, "code"), tensor_of(case, "real_code")
    given, changed = dict(fakes), watched(real, *fakes.values())
    loss = scalar(discriminator_loss(discriminator, real, given, code, real_code, sizes))
    frozen = left_frozen(discriminator)
    return {
        "asked": " ".join(map(str, sorted(asked))),
        "loss": loss.detach(),
        "reaches_generator": any(bool(gradient(loss, fake).abs().sum() > 0) for fake in fakes.values()),
        "gradient": gradient(loss, weight),
        "frozen": frozen,
        "changed": changed() or held(given) != held(fakes),
    }


def _inputs_discriminator_loss(seed: int) -> list[Values]:
    randn = random_tensors(seed + 1)
    cases: list[Values] = []
    for n, judged, side in ((3, "8", 8), (2, "2 8", 8), (4, "4 2", 16), (1, "2 4 8", 8)):
        case: Values = {"judged": judged, "real": randn(n, 3, side, side, dtype=torch.float64)}
        for size in (2, 4, 8):
            case[f"picture.{size}"] = randn(n, 3, size, size, dtype=torch.float64)
        case["weight"] = randn(4, 3, dtype=torch.float64)
        case["code"] = torch.arange(2 * n).view(n, 2) % 3 % 2  # each picture has its own
        case["real_code"] = 2 + torch.arange(2 * n).view(n, 2) // 3 % 2
        cases.append(case)
    return cases


DISCRIMINATOR_LOSS = Check(
    name="discriminator_loss",
    drive=_drive_discriminator_loss,
    inputs=_inputs_discriminator_loss,
    judge=values_judge(
        {
            "asked": "the list of sizes at which the discriminator was asked",
            "loss": "the loss",
            "reaches_generator": "the loss is right but it has a gradient for the generator's pictures",
            "gradient": "the gradient with respect to the discriminator's weights",
            "frozen": "the loss is right but the discriminator was left frozen: it is what this loss trains",
            "changed": "the loss is right but the pictures that you were given were changed",
        }
    ),
)


# 2.8 · consistency


def _drive_consistency_loss(consistency_loss: Any, case: Values) -> Values:
    weight, z = nn.Parameter(tensor_of(case, "weight")), tensor_of(case, "z")
    pictures, asked = pictures_of(case), []

    def paint(latents: Tensor, size: int = int(case["side"])) -> Tensor:
        """A generator in small, whose own small pictures are not its large ones made small: (N, 4) → (N, 3, s, s)."""
        asked.append(bool(torch.equal(latents, z)))
        return 1.5 * torch.tanh((latents @ weight)[:, :, None, None] * (1 + wave((size, size), size)))

    def distance(a: Tensor, b: Tensor) -> Tensor:
        """A perceptual distance in small, one number a pair: (N, 3, s, s) twice → (N,)."""
        return (a.mean((2, 3)) - b.mean((2, 3))).abs().sum(1) + (a - b).abs().mean((1, 2, 3)) ** 2

    given, changed = dict(pictures), watched(z, *pictures.values())
    loss = scalar(consistency_loss(network_of(paint, weight), z, given, distance))
    return {
        "loss": loss.detach(),
        **{f"gradient{size}": gradient(loss, picture) for size, picture in pictures.items()},
        "teacher_learns": bool(gradient(loss, weight.requires_grad_()).abs().sum() > 0),
        "other_latents": not all(asked),
        "asked_often": len(asked) > 1,
        "changed": changed() or held(given) != held(pictures),
    }


def _inputs_consistency_loss(seed: int) -> list[Values]:
    randn = random_tensors(seed)
    cases: list[Values] = []
    for n, sizes, side in ((2, (2, 4, 8), 8), (3, (8,), 8), (1, (2, 4), 16)):
        case: Values = {
            "side": side,
            "z": randn(n, 4, dtype=torch.float64),
            "weight": randn(4, 3, dtype=torch.float64) / 2,
        }
        for size in sizes:
            case[f"picture.{size}"] = randn(n, 3, size, size, dtype=torch.float64)
        cases.append(case)
    return cases


def _judge_consistency_loss(inputs: Values, expected: Values, got: Values) -> None:
    sizes = [k.removeprefix("gradient") for k in expected if k.startswith("gradient")]
    values_judge(
        {
            "other_latents": "the teacher was asked about other latents: with those it paints somebody else",
            "loss": "the loss",
            "teacher_learns": "the loss is right but it has a gradient for the teacher",
            **{
                f"gradient{size}": f"the gradient with respect to the pictures of size {size}"
                for size in sizes
            },
            "asked_often": "the loss is right but the teacher ran more than once: its picture serves all sizes",
            "changed": "the loss is right but the pictures that you were given were changed",
        }
    )(inputs, expected, got)


CONSISTENCY_LOSS = Check(
    name="consistency_loss",
    drive=_drive_consistency_loss,
    inputs=_inputs_consistency_loss,
    judge=_judge_consistency_loss,
)


# 2.9 · the conditioned discriminator


def _drive_conditioning(Conditioning: Any, case: Values) -> Values:
    channels, layers, choices = (int(case[k]) for k in ("channels", "layers", "choices"))
    module = Conditioning(channels, layers, choices)
    if not isinstance(module, nn.Module):
        raise AnswerError("Returned", "is no nn.Module.")
    wanted = state_of(case)
    parameters_or_say(module, wanted)
    if surplus := ", ".join(sorted(set(module.state_dict()) - set(wanted))):
        raise AnswerError(
            "Returned",
            f"saves {surplus} with its weights, and the shipped ones hold none: register it with persistent=False.",
        )
    leaf, ratios = tensor_of(case, "x").requires_grad_(), tensor_of(case, "ratios")
    x = leaf * 1.0
    module.to(x.dtype)
    changed = watched(x, ratios)
    neutral = returned_tensor(module(x, ratios.flip(0))).detach()  # nothing of the first batch may stay
    module.load_state_dict(wanted)
    y = returned_tensor(module(x, ratios))
    if y.shape != x.shape:
        raise AnswerError("Returned", f"returned shape {tuple(y.shape)} where {tuple(x.shape)} belongs.")
    upstream = tensor_of(case, "upstream")
    weights = [gradient(y, parameter, upstream) for _, parameter in sorted(module.named_parameters())]
    return {
        "neutral": bool(torch.allclose(neutral, x.detach())),
        "out": y.detach(),
        "gradient_x": gradient(y, leaf, upstream),
        "gradient_weights": torch.cat([weight.flatten() for weight in weights]),
        "changed": changed(),
    }


def _inputs_conditioning(seed: int) -> list[Values]:
    randn = random_tensors(seed)
    rng = torch.Generator().manual_seed(seed)
    cases: list[Values] = []
    for n, channels, layers, choices in ((3, 2, 2, 3), (4, 3, 3, 2), (2, 1, 5, 4)):
        shape = (channels, layers * choices)
        cases.append(
            {
                "channels": channels,
                "layers": layers,
                "choices": choices,
                "x": randn(n, channels, 2, 3, dtype=torch.float64),
                "ratios": torch.randint(choices, (n, layers), generator=rng),
                "upstream": randn(n, channels, 2, 3, dtype=torch.float64),
                "state.scale.weight": randn(*shape, dtype=torch.float64),
                "state.shift.weight": randn(*shape, dtype=torch.float64),
            }
        )
    mirrored = dict(cases[0])  # two configurations with the same mean ratio
    mirrored["ratios"] = torch.tensor([[0, 2], [2, 0], [1, 1]])
    low = dict(cases[2])  # the widest choice occurs nowhere in the batch
    low["ratios"] = torch.tensor([[0, 2, 1, 0, 2], [1, 0, 2, 2, 0]])
    return [*cases, mirrored, low, in_single(cases[0])]


CONDITIONING = Check(
    name="Conditioning",
    drive=_drive_conditioning,
    inputs=_inputs_conditioning,
    judge=values_judge(
        {
            "neutral": "a new layer does not hand x on as it is: both maps begin at zero, and the scale is 1 + W g",
            "out": "the output",
            "gradient_x": "the gradient with respect to x",
            "gradient_weights": "the gradient with respect to the maps' weights",
            "changed": "the output is right but x or the ratios were changed",
        }
    ),
)
