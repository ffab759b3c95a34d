"""Lab 2, the checks on sub-generators: exercises 2.1 to 2.4."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from efficientlab.exercises.cases import in_single, left_frozen, random_tensors, tensor_of, watched
from efficientlab.exercises.contract import (
    AnswerError,
    Check,
    CheckFailed,
    Values,
    describe,
    returned_tensor,
    returned_tuple,
    values_judge,
)
from efficientlab.exercises.gradients import gradient
from efficientlab.exercises.lab2.networks import Parts, wave
from efficientlab.models.gan.anycost.generator import LATENT

# 2.1 · the modulated convolution


def _drive_modulated_conv(modulated_conv: Any, case: Values) -> Values:
    leaves = [tensor_of(case, name).requires_grad_() for name in ("x", "weight", "style")]
    given = [leaf * 1.0 for leaf in leaves]
    given[0] = given[0].contiguous(memory_format=torch.channels_last)  # as the generator's layers give it
    changed = watched(*given)
    options = () if case["by_default"] else (case["demodulate"],)
    y = returned_tensor(modulated_conv(*given, case["width"], *options))
    upstream = tensor_of(case, "upstream")
    if y.shape != upstream.shape:
        raise AnswerError(
            "Returned", f"returned shape {tuple(y.shape)} where {tuple(upstream.shape)} belongs."
        )
    return {
        "out": y.detach(),
        **{
            f"gradient_{name}": gradient(y, leaf, upstream)
            for name, leaf in zip(("x", "weight", "style"), leaves, strict=True)
        },
        "changed": changed(),
    }


def _inputs_modulated_conv(seed: int) -> list[Values]:
    randn = random_tensors(seed)

    def quarters(*shape: int) -> Tensor:
        """Multiples of a quarter: their products and sums are exact, however much cancels."""
        return (4 * randn(*shape, dtype=torch.float64)).round() / 4

    cases: list[Values] = []
    for n, c, inputs, outputs, width, k, h, w, demodulate, by_default in (
        (2, 4, 4, 5, 5, 3, 4, 3, True, False),
        (3, 2, 5, 6, 3, 3, 3, 4, True, True),
        (2, 3, 5, 3, 3, 1, 2, 3, False, False),
        (1, 2, 4, 5, 2, 5, 4, 3, False, False),
        (2, 3, 4, 4, 2, 1, 2, 2, True, False),
    ):
        cases.append(
            {
                "x": quarters(n, c, h, w),
                "weight": quarters(outputs, inputs, k, k),
                "style": 1 + quarters(n, inputs),
                "width": width,
                "demodulate": demodulate,
                "by_default": by_default,
                "upstream": quarters(n, width, h, w),
            }
        )
    # a style of zeros, and one whose sum of squares is below the ε, which keeps 0 / 0 away
    silent = dict(cases[1])
    silent["style"] = tensor_of(silent, "style") * torch.tensor([[0], [2**-17], [1]], dtype=torch.float64)
    return [*cases, silent, in_single(cases[1])]


MODULATED_CONV = Check(
    name="modulated_conv",
    drive=_drive_modulated_conv,
    inputs=_inputs_modulated_conv,
    judge=values_judge(
        {
            "out": "the output",
            "gradient_x": "the output is right but the gradient with respect to x",
            "gradient_weight": "the output is right but the gradient with respect to the full weight",
            "gradient_style": "the output is right but the gradient with respect to the full style",
            "changed": "the output is right but an input was changed",
        }
    ),
)


# 2.2 · the sub-generator


def _drive_sub_generator(sub_generator: Any, case: Values) -> Values:
    sizes = [int(s) for s in str(case["sizes"]).split()]
    config = tuple(int(n) for n in str(case["config"]).split("-"))
    parts = Parts(float(case["phase"]), tuple(int(n) for n in str(case["full"]).split("-")))
    leaf = tensor_of(case, "rows").requires_grad_()
    rows, changed = list(leaf.unbind(0)), watched(parts.const, leaf)
    given, layers = list(rows), [*parts.convs, *parts.paints]
    convs: list[Any] = list(parts.convs)
    pictures = sub_generator(parts.const, parts.convs, parts.paints, given, config, case["size"])
    if not isinstance(pictures, dict):
        raise AnswerError(
            "Returned", f"returned {type(pictures).__name__}; give a dictionary, size: picture."
        )
    if sorted(pictures) != sizes:
        raise AnswerError(
            "Returned", f"returned pictures of the sizes {sorted(pictures)} where {sizes} belong."
        )
    for size, picture in pictures.items():
        wanted = (rows[0].shape[0], 3, size, size)
        if returned_tensor(picture).shape != wanted:
            raise AnswerError(
                "Returned",
                f"returned shape {tuple(picture.shape)} as the picture of size {size}, where {wanted} belongs.",
            )
    total = sum(
        ((picture * wave(picture.shape, size)).sum() for size, picture in pictures.items()),
        leaf.new_zeros(()),
    )
    asked = [layer.asked for layer in convs]
    return {
        **{f"picture{size}": pictures[size].detach() for size in sizes},
        "run": sum(len(layer.asked) for layer in layers),
        "asked": "; ".join(", ".join(one) or "not run" for one in asked),
        "gradient_rows": gradient(total, leaf),
        "gradient_const": gradient(total, parts.const),
        "changed": changed() or len(given) != len(rows) or [*parts.convs, *parts.paints] != layers,
    }


def _inputs_sub_generator(seed: int) -> list[Values]:
    randn = random_tensors(seed)
    phase = randn(()).item()
    return [
        {
            "phase": phase + number,
            "full": "6-5-4-3",
            "config": config,
            "size": size,
            "sizes": sizes,
            "rows": randn(3, n, LATENT, dtype=torch.float64) / 4,
        }
        for number, (config, size, sizes, n) in enumerate(
            (
                ("6-5-4-3", 16, "4 8 16", 1),
                ("4-2-3-1", 16, "4 8 16", 1),
                ("3-4-2-3", 8, "4 8", 2),
                ("2-2-4-3", 4, "4", 3),
            )
        )
    ]


def _judge_sub_generator(inputs: Values, expected: Values, got: Values) -> None:
    values_judge(
        {k: f"the picture of size {k.removeprefix('picture')}" for k in expected if k[:7] == "picture"}
    )(inputs, expected, got)
    if got["asked"] != expected["asked"]:
        raise CheckFailed(
            f"the pictures are right but the convolutions ran as: {got['asked']}. Expected: {expected['asked']}.",
            f"on the case: {describe(inputs)}",
        )
    if got["run"] != expected["run"]:
        raise CheckFailed(
            f"the pictures are right but {got['run']} layers ran; expected {expected['run']}.",
            f"on the case: {describe(inputs)}",
        )
    values_judge(
        {
            "gradient_rows": "the pictures are right but their gradient with respect to the rows",
            "gradient_const": "the pictures are right but their gradient with respect to the constant",
            "changed": "the pictures are right but the rows, the constant or the layers that were given are changed",
        }
    )(inputs, expected, got)


SUB_GENERATOR = Check(
    name="sub_generator",
    drive=_drive_sub_generator,
    inputs=_inputs_sub_generator,
    judge=_judge_sub_generator,
)


# 2.3 · sorting


def _drive_sort_channels(sort_channels: Any, case: Values) -> Values:
    widths = tuple(int(n) for n in str(case["full"]).split("-"))
    parts = Parts(float(case["phase"]), widths)
    w, few = tensor_of(case, "w"), tensor_of(case, "w")[:2]
    narrow = tuple((n + 1) // 2 for n in widths)
    with torch.no_grad():
        full = parts.run(few, widths)
        sort_channels(parts.const, parts.convs, parts.paints, w)
        moved = (parts.run(few, widths) - full).abs().max().item()
        out: Values = {"same": moved < 1e-9, "narrow": parts.run(few, narrow)[:1, :, ::4, ::4]}
        out["const"] = parts.const.detach()
        for number in range(len(parts.convs)):
            out[f"conv{number}"] = parts.convs.get_parameter(f"{number}.weight").detach()
    out["frozen"] = not parts.const.requires_grad or any(map(left_frozen, [*parts.convs, *parts.paints]))
    return out


def _inputs_sort_channels(seed: int) -> list[Values]:
    randn = random_tensors(seed)
    return [
        {
            "phase": 3 * randn(()).item(),
            "full": full,
            "w": 2 * randn(16, LATENT, dtype=torch.float64) + 0.5,
        }
        for full in ("6-7-7-6", "5-8-6-7", "7-7-8-5")
    ]


SORT_CHANNELS = Check(
    name="sort_channels",
    drive=_drive_sort_channels,
    inputs=_inputs_sort_channels,
    judge=values_judge(
        {
            "same": "sorting changes the full generator's picture: a channel and what reads it must move together",
            "const": "the order of the channels of `const`",
            "conv0": "the full picture is unchanged, but the weight of the first convolution, sorted,",
            "conv1": "the full picture is unchanged, but the weight of the second convolution, sorted,",
            "conv2": "the full picture is unchanged, but the weight of the third convolution, sorted,",
            "narrow": "the picture of the narrower half",
            "frozen": "the order is right but what was sorted learns no more: a parameter was left without a gradient",
        }
    ),
)


# 2.4 · configurations


def _drive_uniform_widths(uniform_widths: Any, case: Values) -> Values:
    base = tuple(int(n) for n in str(case["base"]).split())
    widths = uniform_widths(base, case["ratio"], case["cap"], case["least"], case["multiple"])
    widths = returned_tuple(widths, f"a tuple of {len(base)} widths", len(base))
    if any(isinstance(n, bool) or not isinstance(n, int) for n in widths):
        raise AnswerError("Returned", f"returned {widths}; widths are integers.")
    return {"widths": " ".join(map(str, widths))}


def _inputs_uniform_widths(seed: int) -> list[Values]:
    rng = torch.Generator().manual_seed(seed)
    drawn = " ".join(str(int(n)) for n in torch.randint(6, 400, (6,), generator=rng))
    rows = [
        ("256 256 128 64 32", 0.25, 128, 8, 4),
        ("256 256 128 64 32", 0.5, 24, 40, 6),  # a cap below the least
        ("256 256 128 64 32", 1.0, 128, 8, 4),
        ("8192 4096 2048 1024 512 256 128 64 32", 0.25, 512, 8, 4),
        ("640 320 160 80 40 20", 0.3, 96, 9, 4),
        ("300 100 50 30", 0.33, 64, 8, 4),
        ("60 300 44 100", 0.5, 110, 6, 8),  # a cap that is no multiple, and widths that rise and fall
        (drawn, 0.75, 160, 6, 8),
        (drawn, 0.5, 100, 12, 5),
    ]
    return [
        {"base": b, "ratio": r, "cap": cap, "least": least, "multiple": m} for b, r, cap, least, m in rows
    ]


def _judge_uniform_widths(inputs: Values, expected: Values, got: Values) -> None:
    if got["widths"] == expected["widths"]:
        return
    pairs = zip(
        str(inputs["base"]).split(), str(expected["widths"]).split(), str(got["widths"]).split(), strict=True
    )
    base, want, have = next(p for p in pairs if p[1] != p[2])
    raise CheckFailed(
        f"a layer of base width {base} gets {have} channels; expected {want}.",
        f"on the case: {describe(inputs)}",
    )


UNIFORM_WIDTHS = Check(
    name="uniform_widths",
    drive=_drive_uniform_widths,
    inputs=_inputs_uniform_widths,
    judge=_judge_uniform_widths,
)
