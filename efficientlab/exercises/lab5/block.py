"""Lab 5, the checks on the point-voxel convolution and the order of points: exercises 5.5 and 5.7."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from efficientlab.exercises.cases import drawn_state, quarters, random_tensors, state_of, tensor_of
from efficientlab.exercises.contract import (
    AnswerError,
    Check,
    CheckFailed,
    Values,
    returned_number,
    returned_tensor,
    values_judge,
)
from efficientlab.exercises.gradients import gradient

# 5.5 · the point-voxel convolution


def _drive_pvconv(PVConv: Any, case: Values) -> Values:
    leaf, points, upstream = case["features"], case["points"], case["upstream"]
    assert isinstance(leaf, Tensor) and isinstance(points, Tensor) and isinstance(upstream, Tensor)
    layer = PVConv(case["in_channels"], case["out_channels"], case["resolution"])
    state = state_of(case)
    layer.load_state_dict(state, strict=False)
    missing = _missing(layer, state)
    surplus = ", ".join(sorted({name for name, _ in layer.named_parameters()} - set(state)))
    layer.train(bool(case["training"]))
    leaf.requires_grad_()
    features = leaf * 1.0
    kept = features.detach().clone(), points.clone()
    y = returned_tensor(layer(features, points))
    changed = not (torch.equal(features.detach(), kept[0]) and torch.equal(points, kept[1]))
    if y.shape != upstream.shape:
        raise AnswerError(
            "Returned", f"returned shape {tuple(y.shape)} where {tuple(upstream.shape)} belongs."
        )
    slope = gradient(y, leaf, upstream)
    later = returned_tensor(layer(features.detach(), points.flip(0, 1)))  # another cloud, of the same layer
    return {
        "missing": missing,
        "surplus": surplus,
        "out": y.detach(),
        "later": later.detach(),
        "reads_features": bool(slope.any()),
        "gradient": slope,
        "changed": changed,
    }


def _missing(layer: nn.Module, state: dict[str, Tensor]) -> str:
    """The names that the block lacks, with what stands in their place."""
    lacking = sorted(set(state) - set(layer.state_dict()))
    have = dict(layer.named_modules())
    parts = dict.fromkeys(name.rpartition(".")[0] for name in lacking)
    there = [f"{part} is {type(have[part]).__name__}" for part in parts if part in have]
    return ", ".join(lacking) + (f" ({', '.join(there)})" if lacking and there else "")


def _inputs_pvconv(seed: int) -> list[Values]:
    from efficientlab.models.points.pvcnn import PVConv

    randn = random_tensors(seed)
    cases: list[Values] = []
    for i, o, r, n, p, training in (
        (3, 4, 3, 2, 12, False),
        (4, 2, 4, 1, 20, False),
        (2, 3, 3, 2, 24, True),
        (3, 3, 3, 1, 12, False),
    ):
        state = drawn_state(PVConv(i, o, r), randn)
        bias = tensor_of(state, "state.voxel_layers.4.bias")
        bias += 0.5 * bias.sign()  # fewer outputs near 0, whose digits are those of rounding
        case: Values = {
            "features": quarters(randn(n, i, p)),
            "points": randn(n, 3, p),
            "upstream": 1.5 + quarters(randn(n, o, p).abs()),
            "in_channels": i,
            "out_channels": o,
            "resolution": r,
            "training": training,
        }
        cases.append(case | state)
    return cases


_judge_pvconv_values = values_judge(
    {
        "out": "the output (cloud, channel, point)",
        "later": "the output for the second cloud that one block is given",
        "reads_features": "the output does not depend on the features",
        "gradient": "the gradient with respect to the features",
        "changed": "the output is right but one of its inputs was changed",
    }
)


def _judge_pvconv(inputs: Values, expected: Values, got: Values) -> None:
    if got["missing"]:
        raise CheckFailed(
            f"the block has no {got['missing']}: parameters and buffers need the names of the exercise."
        )
    if got["surplus"]:
        raise CheckFailed(f"the block has {got['surplus']}, which the exercise leaves out.")
    _judge_pvconv_values(inputs, expected, got)


PVCONV = Check(
    name="PVConv",
    drive=_drive_pvconv,
    inputs=_inputs_pvconv,
    judge=_judge_pvconv,
)


# 5.7 · permutations


def _drive_permutation_gap(permutation_gap: Any, case: Values) -> Values:
    features, points, order, weight = (case[k] for k in ("features", "points", "order", "weight"))
    assert isinstance(features, Tensor) and isinstance(points, Tensor)
    assert isinstance(order, Tensor) and isinstance(weight, Tensor)
    place = torch.arange(features.shape[2]) * float(case["reads_order"])
    kept = features.clone(), points.clone()

    def network(features: Tensor, points: Tensor) -> Tensor:
        """Reads the places of points in memory, if the case says so; (N, C, P), (N, 3, P) → (N, K, P)."""
        x = torch.cat([features, points], 1) + 0.1 * place
        return torch.tanh(torch.einsum("kc,ncp->nkp", weight, x))

    gap = returned_number(permutation_gap(network, features, points, order))
    changed = not (torch.equal(features, kept[0]) and torch.equal(points, kept[1]))
    return {"gap": float(gap), "changed": changed}


def _inputs_permutation_gap(seed: int) -> list[Values]:
    randn = random_tensors(seed)
    generator = torch.Generator().manual_seed(seed)
    cases: list[Values] = []
    for n, c, p, reads_order in ((2, 4, 9, False), (2, 4, 9, True), (3, 2, 6, True), (1, 5, 11, True)):
        scale = torch.ones(n, 1, 1)
        scale[: n - 1] = 4.0  # the network saturates, so that the last cloud has the largest gap
        cases.append(
            {
                "features": scale * randn(n, c, p, dtype=torch.float64),  # no gap is rounding
                "points": scale * randn(n, 3, p, dtype=torch.float64),
                "order": torch.randperm(p, generator=generator),
                "weight": randn(3, c + 3, dtype=torch.float64) / 3,
                "reads_order": reads_order,
            }
        )
    turned = -tensor_of(cases[1], "weight")  # all differences change their sign, and the gap is the same
    return [*cases, cases[1] | {"weight": turned}]


PERMUTATION_GAP = Check(
    name="permutation_gap",
    drive=_drive_permutation_gap,
    inputs=_inputs_permutation_gap,
    judge=values_judge({"gap": "the gap", "changed": "the gap is right but one of your inputs was changed"}),
)
