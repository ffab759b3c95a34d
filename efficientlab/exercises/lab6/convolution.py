"""Lab 6's checks of the sparse convolution: its map (6.3), sum (6.4), way back up (6.6) and gradient (6.11)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from efficientlab.exercises.cases import in_single, random_tensors, tensor_of, watched
from efficientlab.exercises.contract import AnswerError, Check, Values, returned_tensor, values_judge
from efficientlab.exercises.lab6.drawn import (
    drawn_voxels,
    far_voxels,
    pair_table,
    pairs_of,
    watched_pairs,
    whole_numbers,
)
from efficientlab.kernels import downsample

# 6.3 · the kernel map


def _drive_kernel_map(kernel_map: Any, case: Values) -> Values:
    coords, out_coords, size = (
        tensor_of(case, "coords"),
        tensor_of(case, "out_coords"),
        int(case["kernel_size"]),
    )
    changed = watched(coords, out_coords)
    pairs = kernel_map(coords, out_coords, size, case["stride"])
    if not isinstance(pairs, list | tuple):
        raise AnswerError(
            "Returned", f"returned {type(pairs).__name__}; give a list, one tensor for each offset."
        )
    if len(pairs) != size**3:
        raise AnswerError(
            "Returned", f"returned {len(pairs)} tensors; a kernel of size {size} has {size**3} offsets."
        )
    rows = []
    for k, pair in enumerate(pairs):
        found = returned_tensor(pair, f" for offset {k}")
        if found.ndim != 2 or found.shape[1] != 2:
            raise AnswerError(
                "Returned",
                f"returned shape {tuple(found.shape)} for offset {k}; give (pairs, 2), also where no pair is.",
            )
        whole = whole_numbers(found, f" for offset {k}")  # torch.tensor([]) is float, and indexes nothing
        rows += [[k, source, target] for source, target in whole.tolist()]
    table = torch.tensor(sorted(rows), dtype=torch.int64).reshape(
        -1, 3
    )  # the order of an offset's pairs is free
    counts = torch.bincount(table[:, 0], minlength=size**3)
    return {"counts": counts, "pairs": table, "changed": changed()}


def _inputs_kernel_map(seed: int) -> list[Values]:
    cases: list[Values] = []
    for clouds, count, low, high, size, stride in (
        (2, 30, -2, 2, 3, 1),
        (2, 24, -3, 3, 2, 2),
        (1, 16, -3, 4, 3, 2),
        (1, 1, 5, 6, 3, 1),
    ):
        coords = drawn_voxels(seed, clouds, count, low, high)
        if stride == 2 and size == 3:
            coords = torch.cat([coords, far_voxels(coords[0])])
        shuffled = coords[torch.randperm(len(coords), generator=torch.Generator().manual_seed(seed))]
        out = shuffled if stride == 1 else downsample(coords, stride).long()
        cases.append({"coords": shuffled, "out_coords": out, "kernel_size": size, "stride": stride})
    return cases


KERNEL_MAP = Check(
    name="kernel_map",
    drive=_drive_kernel_map,
    inputs=_inputs_kernel_map,
    judge=values_judge(
        {
            "counts": "the number of pairs of each offset",
            "pairs": "the table of pairs (pair; offset, source, target), sorted,",
            "changed": "the pairs are right but the coordinates that you were given were changed",
        },
        rtol=0.0,
        atol=0.0,
    ),
)


# what the exercises on sums and gradients share


def _in_any_order(table: Tensor, seed: int) -> Tensor:
    """The pairs of a table, shuffled: no order of an offset's pairs is promised."""
    return table[torch.randperm(len(table), generator=torch.Generator().manual_seed(seed))]


def _conv_cases(seed: int, widths: Sequence[tuple[int, int]]) -> list[Values]:
    """Submanifold, strided, isolated, and back up: x, weight and pairs.

    Twice of equal widths, where W and Wᵀ fit alike. On the way up there are more outputs than inputs, and no pair
    reaches the last.
    """
    randn = random_tensors(seed)
    cases: list[Values] = []
    shapes = ((2, 14, -2, 2, 3, 1), (2, 20, -2, 3, 2, 2), (1, 3, -20, 20, 3, 1))
    for (clouds, count, low, high, size, stride), (channels, outputs) in zip(shapes, widths[:3], strict=True):
        coords = drawn_voxels(seed, clouds, count, low, high).int()
        out = coords if stride == 1 else downsample(coords, stride)
        cases.append(
            {
                "x": randn(len(coords), channels, dtype=torch.float64),
                "weight": randn(size**3, channels, outputs, dtype=torch.float64) / 3,
                "pairs": _in_any_order(pair_table(coords, out, size, stride), seed),
                "outputs": len(out),
            }
        )
    fine = drawn_voxels(seed + 1, 2, 16, -2, 3).int()
    coarse = downsample(fine, 2)
    channels, outputs = widths[3]
    cases.append(
        {
            "x": randn(len(coarse), channels, dtype=torch.float64),
            "weight": randn(8, channels, outputs, dtype=torch.float64) / 2,
            "pairs": _in_any_order(pair_table(fine, coarse, 2, 2)[:, [0, 2, 1]], seed),
            "outputs": len(fine) + 1,
        }
    )
    return cases


def _differentiated(
    run: Callable[[list[Tensor]], Tensor],
    leaves: Sequence[Tensor],
    pairs: list[Tensor],
    upstream: Tensor,
    names: Sequence[str],
) -> Values:
    """Output and gradients of `run` on copies of the leaves, and whether it changed the copies or the pairs."""
    for leaf in leaves:
        leaf.requires_grad_()
    given = [leaf * 1.0 for leaf in leaves]
    changed, pairs_changed = watched(*given), watched_pairs(pairs)
    y = returned_tensor(run(given))
    if y.shape != upstream.shape:
        raise AnswerError(
            "Returned", f"returned shape {tuple(y.shape)} where {tuple(upstream.shape)} belongs."
        )
    answer: Values = {
        "out": y.detach(),
        "changed": changed() or pairs_changed(),
        "trainable": y.requires_grad,
    }
    if y.requires_grad:
        grads = torch.autograd.grad(y, list(leaves), upstream, allow_unused=True, materialize_grads=True)
        answer |= {f"gradient_{name}": grad for name, grad in zip(names, grads, strict=True)}
    return answer


# 6.4 · gather, multiply, scatter


def _drive_sparse_conv(sparse_conv: Any, case: Values) -> Values:
    weight = tensor_of(case, "weight")
    pairs = pairs_of(tensor_of(case, "pairs"), len(weight))

    def run(given: list[Tensor]) -> Any:
        return sparse_conv(*given, pairs, case["outputs"])

    leaves, upstream = [tensor_of(case, "x"), weight], tensor_of(case, "upstream")
    return _differentiated(run, leaves, pairs, upstream, ("x", "weight"))


def _inputs_sparse_conv(seed: int) -> list[Values]:
    randn = random_tensors(seed + 1)
    cases = _conv_cases(seed, ((3, 3), (3, 2), (2, 2), (2, 3)))
    for case in cases:
        case["upstream"] = randn(
            int(case["outputs"]), tensor_of(case, "weight").shape[2], dtype=torch.float64
        )
    return [*cases, in_single(cases[1])]


SPARSE_CONV = Check(
    name="sparse_conv",
    drive=_drive_sparse_conv,
    inputs=_inputs_sparse_conv,
    judge=values_judge(
        {
            "out": "the output (voxel, channel)",
            "trainable": "the output is right but no gradient comes through it: the weights could not be trained",
            "gradient_x": "the gradient with respect to x",
            "gradient_weight": "the gradient with respect to the weights",
            "changed": "the output is right but one of its inputs was changed",
        }
    ),
)


# 6.6 · back to the finer voxels


def _drive_up_and_join(up_and_join: Any, case: Values) -> Values:
    x, skip, weight = (tensor_of(case, key) for key in ("x", "skip", "weight"))
    pairs = pairs_of(tensor_of(case, "pairs"), len(weight))

    def run(given: list[Tensor]) -> Any:
        return up_and_join(*given, pairs)

    leaves, upstream = [x, skip, weight], tensor_of(case, "upstream")
    return _differentiated(run, leaves, pairs, upstream, ("x", "skip", "weight"))


def _inputs_up_and_join(seed: int) -> list[Values]:
    randn = random_tensors(seed)
    cases: list[Values] = []
    for clouds, count, low, high, size, channels, outputs, skipped, alone in (
        (2, 20, -3, 3, 2, 3, 3, 3, 0),
        (1, 16, -2, 3, 2, 2, 3, 2, 0),
        (1, 10, -2, 2, 3, 2, 3, 1, 1),  # no pair reaches the last row of the skip
    ):
        fine = drawn_voxels(seed, clouds, count, low, high).int()
        coarse = downsample(fine, 2)
        cases.append(
            {
                "x": randn(len(coarse), channels, dtype=torch.float64),
                "skip": randn(len(fine) + alone, skipped, dtype=torch.float64),
                "weight": randn(size**3, channels, outputs, dtype=torch.float64) / 2,
                "pairs": _in_any_order(pair_table(fine, coarse, size, 2), seed),
                "upstream": randn(len(fine) + alone, outputs + skipped, dtype=torch.float64),
            }
        )
    return [*cases, in_single(cases[1])]


UP_AND_JOIN = Check(
    name="up_and_join",
    drive=_drive_up_and_join,
    inputs=_inputs_up_and_join,
    judge=values_judge(
        {
            "out": "the joined features (fine voxel, channel)",
            "trainable": "the features are right but no gradient comes through them",
            "gradient_x": "the gradient with respect to the coarse features",
            "gradient_skip": "the gradient with respect to the skip",
            "gradient_weight": "the gradient with respect to the weights",
            "changed": "the features are right but one of the inputs was changed",
        }
    ),
)


# 6.11 · the gradient by hand


def _drive_sparse_conv_grads(sparse_conv_grads: Any, case: Values) -> Values:
    grad, x, weight = (tensor_of(case, key) for key in ("grad", "x", "weight"))
    pairs = pairs_of(tensor_of(case, "pairs"), len(weight))
    changed, pairs_changed = watched(grad, x, weight), watched_pairs(pairs)
    saved: list[Tensor] = []  # what automatic differentiation would keep for its way back

    def save(tensor: Tensor) -> Tensor:
        saved.append(tensor)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(save, lambda tensor: tensor):
        returned = sparse_conv_grads(grad, x, weight, pairs)
    if not isinstance(returned, tuple | list) or len(returned) != 2:
        raise AnswerError(
            "Returned", "returned something else than two tensors: the gradients for x and weight."
        )
    to_x, to_weight = (returned_tensor(value) for value in returned)
    return {
        "x": to_x,
        "weight": to_weight,
        "automatic": bool(saved),
        "changed": changed() or pairs_changed(),
    }


def _inputs_sparse_conv_grads(seed: int) -> list[Values]:
    randn = random_tensors(seed + 2)
    cases = _conv_cases(seed + 3, ((3, 3), (3, 2), (2, 2), (2, 3)))
    for case in cases:
        outputs = int(case.pop("outputs"))
        case["grad"] = randn(outputs, tensor_of(case, "weight").shape[2], dtype=torch.float64)
    return [*cases, in_single(cases[1])]


SPARSE_CONV_GRADS = Check(
    name="sparse_conv_grads",
    drive=_drive_sparse_conv_grads,
    inputs=_inputs_sparse_conv_grads,
    judge=values_judge(
        {
            "x": "the gradient with respect to x (voxel, channel)",
            "weight": "the gradient with respect to the weights (offset, input, output)",
            "automatic": "the gradients are right but automatic differentiation has found them: write them out",
            "changed": "the gradients are right but one of the inputs was changed",
        }
    ),
)
