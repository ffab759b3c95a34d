"""Lab 5, "Points and voxels together": its exercises as data, and the checks behind them."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from efficientlab.exercises.cases import drawn_state, state_of, tensor_of
from efficientlab.exercises.contract import (
    AnswerError,
    Check,
    CheckFailed,
    Exercise,
    Values,
    counts_judge,
    returned_tensor,
    values_judge,
)
from efficientlab.exercises.guarded import Guarded, kernel_device, kernel_judge, kernel_result
from efficientlab.exercises.lab import Lab
from efficientlab.exercises.lab5_grid import DEVOXELIZE, GRID_REPORT, NORMALIZE, VOXELIZE, random

# 5.5 · the point-voxel convolution


def _drive_pvconv(PVConv: Any, case: Values) -> Values:
    leaf, points, upstream = case["features"], case["points"], case["upstream"]
    assert isinstance(leaf, Tensor) and isinstance(points, Tensor) and isinstance(upstream, Tensor)
    layer = PVConv(case["in_channels"], case["out_channels"], case["resolution"])
    state = state_of(case)
    layer.load_state_dict(state, strict=False)
    missing = ", ".join(sorted(set(state) - set(layer.state_dict())))
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
    (gradient,) = torch.autograd.grad(y, leaf, upstream)
    return {
        "missing": missing,
        "surplus": surplus,
        "out": y.detach(),
        "gradient": gradient,
        "changed": changed,
    }


def _inputs_pvconv(seed: int) -> list[Values]:
    from efficientlab.models.pvcnn import PVConv

    randn, _ = random(seed)
    cases: list[Values] = []
    for i, o, r, n, p, training in ((3, 4, 3, 2, 12, False), (4, 2, 4, 1, 20, False), (2, 3, 3, 2, 10, True)):
        state = drawn_state(PVConv(i, o, r), randn)
        case: Values = {
            "features": randn(n, i, p),
            "points": randn(n, 3, p),
            "upstream": randn(n, o, p),
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


# 5.6 · a cache, simulated


def _drive_cache_misses(cache_misses: Any, case: Values) -> Values:
    index = case["index"]
    assert isinstance(index, Tensor)
    misses = cache_misses(index.tolist(), case["row_bytes"], case["cache_bytes"], case["line_bytes"])
    if isinstance(misses, bool) or not isinstance(misses, int):
        raise AnswerError("Returned", f"returned {misses!r} where an integer belongs.")
    return {"misses": misses}


def _inputs_cache_misses(seed: int) -> list[Values]:
    generator = torch.Generator().manual_seed(seed)
    cases: list[Values] = []
    for accesses, rows, row_bytes, lines, line_bytes in (
        (200, 12, 64, 8, 64),
        (200, 40, 16, 6, 64),
        (150, 10, 128, 9, 64),
        (150, 16, 96, 11, 64),  # a row begins in the middle of a line
        (100, 9, 32, 7, 32),
    ):
        index = torch.randint(rows, (accesses,), generator=generator)
        cases.append(
            {
                "index": index,
                "row_bytes": row_bytes,
                "cache_bytes": lines * line_bytes,
                "line_bytes": line_bytes,
            }
        )
    return cases


CACHE_MISSES = Check(
    name="cache_misses",
    drive=_drive_cache_misses,
    inputs=_inputs_cache_misses,
    judge=values_judge({"misses": "the number of cache misses"}, rtol=0.0, atol=0.0),
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

    gap = permutation_gap(network, features, points, order)
    if isinstance(gap, Tensor):
        gap = gap.item()
    if isinstance(gap, bool) or not isinstance(gap, int | float):
        raise AnswerError("Returned", f"returned {gap!r} where a number belongs.")
    changed = not (torch.equal(features, kept[0]) and torch.equal(points, kept[1]))
    return {"gap": float(gap), "changed": changed}


def _inputs_permutation_gap(seed: int) -> list[Values]:
    randn, _ = random(seed)
    generator = torch.Generator().manual_seed(seed)
    cases: list[Values] = []
    for n, c, p, reads_order in ((2, 4, 9, False), (2, 4, 9, True), (3, 2, 6, True), (1, 5, 11, True)):
        scale = torch.ones(n, 1, 1)
        scale[: n - 1] = 20.0  # the network saturates, so that the last cloud has the largest gap
        cases.append(
            {
                "features": scale * randn(n, c, p),
                "points": scale * randn(n, 3, p),
                "order": torch.randperm(p, generator=generator),
                "weight": randn(3, c + 3) / 3,
                "reads_order": reads_order,
            }
        )
    return cases


PERMUTATION_GAP = Check(
    name="permutation_gap",
    drive=_drive_permutation_gap,
    inputs=_inputs_permutation_gap,
    judge=values_judge(
        {"gap": "the gap", "changed": "the gap is right but one of your inputs was changed"},
        rtol=1e-3,
        atol=1e-5,
    ),
)


# 5.8 · costs, predicted


def _drive_branch_costs(branch_costs: Any, case: Values) -> Values:
    costs = branch_costs(**case)
    if not isinstance(costs, dict):
        raise AnswerError("Returned", f"returned {type(costs).__name__} where a dictionary belongs.")
    return {repr(name): cost for name, cost in costs.items()}


def _inputs_branch_costs(seed: int) -> list[Values]:
    generator = torch.Generator().manual_seed(seed)

    def pick(*values: int) -> int:
        return values[int(torch.randint(len(values), (), generator=generator))]

    return [
        {
            "in_channels": pick(6, 8, 12),
            "out_channels": pick(16, 32, 64),
            "resolution": pick(8, 12, 16),
            "points": pick(500, 1024, 2048),
        }
        for _ in range(4)
    ]


BRANCH_COSTS = Check(
    name="branch_costs", drive=_drive_branch_costs, inputs=_inputs_branch_costs, judge=counts_judge()
)


# 5.10 · kernel corner


def _drive_voxelize_kernel(voxelize_kernel: Any, case: Values) -> Values:
    x, voxel, weight = (tensor_of(case, name) for name in ("x", "voxel", "weight"))
    points, channels = x.shape
    block = 4
    guard = channels + block  # what a forgotten mask can reach
    source = Guarded(x, guard)
    target = Guarded(torch.zeros(int(case["voxels"]), channels), guard, 1e3)
    voxelize_kernel[(points, (channels + block - 1) // block)](
        source.inner,
        voxel.to(kernel_device()),
        weight.to(kernel_device()),
        target.inner,
        channels,
        BLOCK=block,
    )
    return kernel_result("voxels", source, target)


def _inputs_voxelize_kernel(seed: int) -> list[Values]:
    randn, _ = random(seed)
    generator = torch.Generator().manual_seed(seed)
    cases: list[Values] = []
    for points, channels, voxels in ((9, 4, 3), (7, 6, 4), (5, 3, 2), (6, 9, 4)):
        voxel = torch.randint(voxels, (points,), generator=generator)
        voxel[:2] = voxels - 1  # two points in one voxel, in every case
        weight = torch.bincount(voxel, minlength=voxels)[voxel].float().reciprocal()
        cases.append({"x": randn(points, channels), "voxel": voxel.int(), "weight": weight, "voxels": voxels})
    return cases


VOXELIZE_KERNEL = Check(
    name="voxelize_kernel",
    drive=_drive_voxelize_kernel,
    inputs=_inputs_voxelize_kernel,
    judge=kernel_judge("voxels", "the voxels (voxel, channel)", mask="addition"),
)


lab = Lab(
    number=5,
    slug="lab5_pvcnn",
    title="Points and voxels together",
    exercises=(
        Exercise("5.1", "Grid coordinates", "build", points=10, minutes=8, stars=1, check=NORMALIZE),
        Exercise("5.2", "Average voxelization", "build", points=16, minutes=12, stars=2, check=VOXELIZE),
        Exercise("5.3", "What a grid keeps", "build", points=8, minutes=6, stars=1, check=GRID_REPORT),
        Exercise(
            "5.4", "Trilinear devoxelization", "build", points=18, minutes=18, stars=3, check=DEVOXELIZE
        ),
        Exercise("5.5", "The PVConv block", "build", points=12, minutes=10, stars=2, check=PVCONV),
        Exercise("5.6", "A cache, simulated", "build", points=10, minutes=10, stars=2, check=CACHE_MISSES),
        Exercise(
            "5.7", "Does the order matter?", "build", points=8, minutes=6, stars=1, check=PERMUTATION_GAP
        ),
        Exercise("5.8", "Costs by hand", "predict", points=10, minutes=10, stars=2, check=BRANCH_COSTS),
        Exercise("5.9", "Which network for which task?", "investigate", points=8, minutes=10, stars=2),
        Exercise(
            "5.10",
            "Kernel corner: voxelize in Triton",
            "kernel",
            points=10,
            minutes=30,
            stars=3,
            check=VOXELIZE_KERNEL,
        ),
    ),
)
