"""Lab 1, the checks on the super student: exercises 1.5, 1.6 and 1.9."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from efficientlab.exercises.cases import (
    left_frozen,
    other_generators,
    parameters_or_say,
    quarters,
    random_tensors,
    state_of,
    tensor_of,
)
from efficientlab.exercises.chance import dependent, mean_limit, uniform_moments
from efficientlab.exercises.contract import (
    AnswerError,
    Check,
    CheckFailed,
    Values,
    describe,
    kind_of,
    plain,
    returned_tensor,
    values_judge,
)

# 1.5 · the sliced layers


def _drive_sliced(SLICED: Any, case: Values) -> Values:
    kind, x, upstream = str(case["kind"]), tensor_of(case, "x").requires_grad_(), tensor_of(case, "upstream")
    if not isinstance(SLICED, tuple) or len(SLICED) != 3:
        raise AnswerError(
            "Returned", f"is {type(SLICED).__name__}; write Layers(conv, conv_transpose, norm)."
        )
    conv, conv_transpose, norm = SLICED
    c_in, c_out = int(case["c_in"]), int(case["c_out"])
    stride, kernel = int(case["stride"]), int(case["kernel"])
    if kind == "convolution":
        layer = conv(c_in, c_out, kernel, stride, kernel // 2)
    elif kind == "depthwise convolution":
        layer = conv(c_in, c_in, 3, stride, 1, groups=c_in)
    elif kind == "transposed convolution":
        layer = conv_transpose(c_in, c_out, 3, stride, 1, output_padding=stride - 1)
    else:
        layer = norm(c_in)
    full = state_of(case)
    parameters_or_say(
        layer, full, f" This is the {kind}: `Layers` has conv, conv_transpose and norm, in this order."
    )
    layer.load_state_dict(full)
    before = {name: p.detach().clone() for name, p in layer.named_parameters()}
    full_first = bool(case["full_first"])
    if full_first:  # a full pass in between must leave no trace
        layer(torch.ones(1, c_in, *x.shape[2:]))
    if kind in ("convolution", "transposed convolution"):
        layer.active = int(case["active"])
    y = returned_tensor(layer(x))
    if y.shape != upstream.shape:
        raise AnswerError(
            "Returned",
            f"gives, as a {kind}, shape {tuple(y.shape)} where {tuple(upstream.shape)} belongs.",
        )
    names = sorted(before)
    held = dict(layer.named_parameters())
    if sorted(held) != names or any(held[n].shape != before[n].shape for n in names):
        raise AnswerError("Returned", f"loses parameters of the {kind} by running it.")
    grads = torch.autograd.grad(y, [x, *(held[n] for n in names)], upstream, allow_unused=True)
    return {
        "out": y.detach(),
        "untrainable": any(g is None for g in grads),
        "gradient_x": torch.zeros(()) if grads[0] is None else grads[0],
        **{
            f"gradient_{n}": torch.zeros(()) if g is None else g
            for n, g in zip(names, grads[1:], strict=True)
        },
        "changed": any(not torch.equal(held[n], before[n]) for n in names),
    }


def _inputs_sliced(seed: int) -> list[Values]:
    randn = random_tensors(seed)
    cases: list[Values] = []
    for kind, c_in, c_out, given, active, kernel, stride, full_first in (
        ("convolution", 4, 6, 2, 3, 3, 2, True),
        ("convolution", 3, 4, 3, 4, 3, 1, False),
        ("convolution", 1, 4, 1, 3, 3, 1, False),  # a stem: one input channel, and no depthwise layer
        ("convolution", 4, 6, 3, 5, 1, 1, True),  # pointwise: no padding
        ("depthwise convolution", 4, 4, 2, 2, 3, 1, True),
        ("depthwise convolution", 5, 5, 3, 3, 3, 2, False),
        ("transposed convolution", 4, 6, 2, 3, 3, 2, True),
        ("transposed convolution", 5, 3, 5, 2, 3, 1, False),
        ("instance norm", 5, 5, 3, 3, 0, 1, True),
        ("instance norm", 4, 4, 4, 4, 0, 1, False),
    ):
        full: nn.Module
        if kind == "convolution":
            full = nn.Conv2d(c_in, c_out, kernel)
        elif kind == "depthwise convolution":
            full = nn.Conv2d(c_in, c_in, 3, groups=c_in)
        elif kind == "transposed convolution":
            full = nn.ConvTranspose2d(c_in, c_out, 3)
        else:
            full = nn.GroupNorm(c_in, c_in)
        size = 4 * stride if kind == "transposed convolution" else 4 // stride
        case: Values = {
            "kind": kind,
            "c_in": c_in,
            "c_out": c_out,
            "active": active,
            "kernel": kernel,
            "stride": stride,
            "full_first": full_first,
            "x": randn(2, given, 4, 4),
            "upstream": randn(2, active, size, size),
        }
        cases.append(case | {f"state.{k}": randn(v.shape) for k, v in full.state_dict().items()})
    x = tensor_of(cases[-1], "x")
    x[:, 0], x[:, 1] = 0.0, 1e-3 * x[:, 1]  # a channel that is dead, and one so small that ε counts
    return cases


def _judge_sliced(inputs: Values, expected: Values, got: Values) -> None:
    kind = inputs["kind"]
    values_judge(
        {
            "out": f"the output of the sliced {kind}",
            "changed": f"the weights of the {kind} were changed by running it",
            "untrainable": f"the {kind} is right but cuts a gradient off: slice by indexing, copy and detach nothing",
            "gradient_x": f"the gradient for the input of the {kind}",
            **{
                k: f"the gradient for the {k.removeprefix('gradient_')} of the {kind}"
                for k in expected
                if k.startswith("gradient_") and k != "gradient_x"
            },
        }
    )(inputs, expected, got)


SLICED = Check(name="SLICED", drive=_drive_sliced, inputs=_inputs_sliced, judge=_judge_sliced)


# 1.6 · drawing configurations

DRAWS = 2000


def _drive_sample_config(sample_config: Any, case: Values) -> Values:
    choices, seed = _choices(case), int(case["draw_seed"])

    def draws(count: int, other: int) -> list[tuple[int, ...]]:
        rng = torch.Generator().manual_seed(seed)
        with other_generators(seed + other):  # those that must not be used
            return [_valid(sample_config(choices, rng), choices) for _ in range(count)]

    drawn, again = draws(DRAWS, 1), draws(20, 2)
    return {"drawn": torch.tensor(drawn, dtype=torch.uint8), "again": torch.tensor(again, dtype=torch.uint8)}


def _choices(case: Values) -> list[tuple[int, ...]]:
    return [tuple(int(n) for n in layer.split()) for layer in str(case["choices"]).split(",")]


def _valid(config: Any, choices: list[tuple[int, ...]]) -> tuple[int, ...]:
    """A configuration as plain numbers; `AnswerError` if a layer has none of its widths."""
    if not isinstance(config, tuple | list):
        raise AnswerError("Returned", f"returned {kind_of(config)} where a tuple belongs.")
    widths = tuple(plain(n) for n in config)
    if len(widths) != len(choices) or any(n not in layer for n, layer in zip(widths, choices, strict=True)):
        raise AnswerError(
            "Returned", f"returned {widths}, which is not one of each layer's choices {choices}."
        )
    return widths


def _inputs_sample_config(seed: int) -> list[Values]:
    return [
        {
            "choices": "8 12 15 18 24,16 24 30 36 48,32 48 60 72 96,16 24 30 36 48",
            "draw_seed": 100 * seed + 1,
        },
        {"choices": "4 6,2 3 5 7 11,7 9 13", "draw_seed": 100 * seed + 2},
    ]


def _judge_sample_config(inputs: Values, expected: Values, got: Values) -> None:
    """All from the draws themselves. Limits are passed by chance but once in a million times."""
    detail, choices = f"on the case: {describe(inputs)}", _choices(inputs)
    drawn, again = tensor_of(got, "drawn"), tensor_of(got, "again")
    if drawn.shape != tensor_of(expected, "drawn").shape or not torch.equal(drawn[: len(again)], again):
        raise CheckFailed(
            "the same seed of `rng` draws other configurations the second time: all draws come from `rng`.",
            detail,
        )
    indices, moments = [], []
    for layer, widths in enumerate(choices):
        hits = drawn[:, layer, None] == torch.tensor(widths)  # (draws, widths)
        if not hits.any(1).all():
            raise CheckFailed("a width was drawn that is not among its layer's choices.", detail)
        off, wanted = hits.double().mean(0) - 1 / len(widths), 1 / len(widths)
        if off.abs().max() > mean_limit(DRAWS, wanted * (1 - wanted), 1.0, sum(map(len, choices))):
            choice = int(off.abs().argmax())
            raise CheckFailed(
                f"layer {layer} gets the width {widths[choice]} in a share of {wanted + off[choice]:.2f} of "
                f"{DRAWS} draws; expected about {wanted:.2f}.",
                detail,
            )
        indices.append(hits.double().argmax(1))
        moments.append(uniform_moments(len(widths)))
    mean, variance = torch.tensor(moments, dtype=torch.float64).T[:, :, None]  # (L, 1) each
    if dependent(torch.stack(indices), mean, variance):
        raise CheckFailed("the layers' widths are not drawn independently of each other.", detail)


SAMPLE_CONFIG = Check(
    name="sample_config",
    drive=_drive_sample_config,
    inputs=_inputs_sample_config,
    judge=_judge_sample_config,
)


# 1.9 · extraction


def _drive_extract(extract: Any, case: Values) -> Values:
    from efficientlab.models.gan.pix2pix import Config
    from efficientlab.models.gan.super_student import SuperStudent

    config = Config(*map(int, str(case["config"]).split("-")))
    student = _well_conditioned(SuperStudent().eval(), int(case["weights_seed"]))
    before = {k: v.clone() for k, v in student.state_dict().items()}
    torch.manual_seed(0)  # so that what an answer leaves as it was initialised is the same each time
    alone = extract(student, config)
    if not isinstance(alone, nn.Module):
        raise AnswerError("Returned", f"returned {type(alone).__name__} where a network belongs.")
    if any(hasattr(layer, "active") for layer in alone.modules()) and alone is not student:
        raise AnswerError("Returned", "returned a network of sliced layers; make it of plain ones.")
    if alone is student:
        raise AnswerError("Returned", "returned the super student itself; make a network that stands alone.")
    count = sum(p.numel() for p in alone.parameters())
    frozen = left_frozen(alone)
    # whether a step of the extracted network's training would reach the super student: step, look, step back
    mine = [p.detach().clone() for p in alone.parameters()]
    with torch.no_grad():
        for p in alone.parameters():
            p.add_(1.0)
        after = student.state_dict()
        changed = any(not torch.equal(before[k], after[k]) for k in before)
        for p, value in zip(alone.parameters(), mine, strict=True):
            p.copy_(value)
        # in double precision the picture is the same on every processor and in every memory format
        out = returned_tensor(alone.double()(tensor_of(case, "drawing"))).clone()
    return {"out": out, "parameters": count, "changed": changed, "frozen": frozen}


def _well_conditioned(network: nn.Module, seed: int) -> nn.Module:
    """Weights that hand rounding on without making it larger: uniform, of variance 1 / fan-in; norms of small gain,
    and a head so small that tanh stays near its middle. `torch.rand` gives the same numbers on every machine.
    """
    rng = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, p in network.named_parameters():
            drawn = 2 * torch.rand(p.shape, generator=rng, dtype=torch.float32) - 1
            gain = 0.1 if name.startswith("head") else 0.3 if "norm" in name else 1.0
            if p.ndim == 1:
                p.copy_(gain * (0.3 * drawn + float(name.endswith("weight"))))
            else:
                p.copy_(gain * drawn * (3 / p[0].numel()) ** 0.5)
    return network


def _inputs_extract(seed: int) -> list[Values]:
    randn = random_tensors(seed)
    configs = ("8-16-32-32-48-60-16-8", "12-48-60-96-32-72-24-18", "24-48-96-96-96-96-48-24")
    return [
        # 16 × 16: the norms inside have 4 × 4 pixels
        {"drawing": quarters(randn(1, 1, 16, 16)).double(), "weights_seed": 3 * seed + k, "config": config}
        for k, config in enumerate(configs)
    ]


EXTRACT = Check(
    name="extract",
    drive=_drive_extract,
    inputs=_inputs_extract,
    judge=values_judge(
        {
            "out": "the extracted network's picture",
            "parameters": "the number of parameters of the extracted network",
            "frozen": "the network is right but a weight of it takes no gradient: it could not be trained",
            "changed": "the network is right but training it would change the super student: they share memory",
        }
    ),
)
