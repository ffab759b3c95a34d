"""Lab 5's checks of what happens between points and a grid: exercises 5.1 to 5.4."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor

from efficientlab.exercises.cases import tensor_of, watched
from efficientlab.exercises.contract import (
    AnswerError,
    Check,
    Values,
    returned_dictionary,
    returned_tensor,
    values_judge,
)
from efficientlab.exercises.gradients import gradient


def random(seed: int) -> tuple[Callable[..., Tensor], Callable[..., Tensor]]:
    """Standard normal and uniform tensors from one seeded stream."""
    generator = torch.Generator().manual_seed(seed)
    return partial(torch.randn, generator=generator), partial(torch.rand, generator=generator)


# 5.1 · normalize


def _drive_normalize(normalize_to_grid: Any, case: Values) -> Values:
    points = case["points"]
    assert isinstance(points, Tensor)
    before = points.clone()
    coords = returned_tensor(normalize_to_grid(points, case["resolution"]))
    return {"coords": coords, "points_changed": not torch.equal(points, before)}


def _inputs_normalize(seed: int) -> list[Values]:
    randn, _ = random(seed)
    scale = torch.tensor([3.0, 1.0, 0.5]).view(1, 3, 1)
    apart = torch.tensor([[1.0], [4.0]])[:, :, None]  # clouds of two sizes
    cases: list[Values] = [
        {"points": scale * apart * randn(2, 3, 9) + 2 * randn(2, 3, 1), "resolution": 8},
        {"points": randn(1, 3, 6, dtype=torch.float64), "resolution": 5},
        {"points": randn(7, 3, 2).transpose(0, 2), "resolution": 16},  # not contiguous
        {"points": (2 * randn(2, 3, 1)).repeat(1, 1, 4).round(), "resolution": 4},  # all points coincide
        {"points": 1e-4 * randn(1, 3, 8), "resolution": 8},  # in another unit
    ]
    beside = randn(2, 3, 4)
    beside[0] = beside[0, :, :1].round()  # a cloud whose points coincide, beside one whose do not
    cases.append({"points": beside, "resolution": 6})
    return cases


NORMALIZE = Check(
    name="normalize_to_grid",
    drive=_drive_normalize,
    inputs=_inputs_normalize,
    judge=values_judge(
        {
            "coords": "the tensor of grid coordinates (cloud, axis, point)",
            "points_changed": "the coordinates are right but the points that you were given were changed",
        }
    ),
)


# 5.2 · voxelize


def _drive_voxelize(avg_voxelize: Any, case: Values) -> Values:
    leaf, coords, upstream = case["features"], case["coords"], case["upstream"]
    assert isinstance(leaf, Tensor) and isinstance(coords, Tensor) and isinstance(upstream, Tensor)
    leaf.requires_grad_()
    features = leaf * 1.0
    kept = features.detach().clone(), coords.clone()
    voxels = returned_tensor(avg_voxelize(features, coords, case["resolution"]))
    changed = not (torch.equal(features.detach(), kept[0]) and torch.equal(coords, kept[1]))
    if voxels.shape != upstream.shape:
        raise AnswerError(
            "Returned", f"returned shape {tuple(voxels.shape)} where {tuple(upstream.shape)} belongs."
        )
    answer: Values = {"voxels": voxels.detach(), "changed": changed, "trainable": voxels.requires_grad}
    if voxels.requires_grad:
        answer["gradient"] = gradient(voxels, leaf, upstream)
    return answer


def _halves(rand: Callable[..., Tensor]) -> Tensor:
    """(3, 3): three points whose x are halves. They go to the even neighbour, 0, 2 and 2, so one of them is alone."""
    points = torch.tensor([0.5, 1.5, 2.5]).repeat(3, 1)
    points[1:] = rand(2, 1) * 3
    return points


def _inputs_voxelize(seed: int) -> list[Values]:
    randn, rand = random(seed)
    cases: list[Values] = []
    for n, c, p, r in ((2, 3, 12, 2), (1, 2, 40, 3), (3, 1, 5, 4)):
        coords = rand(n, 3, p) * (r - 1)
        cases.append({"features": randn(n, c, p), "coords": coords, "resolution": r})
    halves = _halves(rand)[None]
    cases.append({"features": randn(1, 2, 3), "coords": halves, "resolution": 4})
    crowded = torch.ones(1, 3, 6)  # six points in one voxel
    cases.append({"features": randn(1, 2, 6, dtype=torch.float64), "coords": crowded, "resolution": 3})
    for case in cases:
        features, r = case["features"], int(case["resolution"])
        assert isinstance(features, Tensor)
        n, c, _ = features.shape
        case["upstream"] = randn(n, c, r, r, r)
    return cases


VOXELIZE = Check(
    name="avg_voxelize",
    drive=_drive_voxelize,
    inputs=_inputs_voxelize,
    judge=values_judge(
        {
            "voxels": "the grid (cloud, channel, x, y, z)",
            "trainable": "the grid is right but no gradient comes through it: the layers before could not be trained",
            "gradient": "the gradient with respect to the features",
            "changed": "the grid is right but one of your inputs was changed",
        }
    ),
)


# 5.3 · what a grid keeps, and what it costs


def _drive_grid_report(grid_report: Any, case: Values) -> Values:
    coords = tensor_of(case, "coords")
    changed = watched(coords)
    report = returned_dictionary(grid_report(coords, case["channels"], case["resolution"]))
    return {**{key: float(value) for key, value in report.items()}, "changed": changed()}


def _inputs_grid_report(seed: int) -> list[Values]:
    _, rand = random(seed)
    cases: list[Values] = [
        {"coords": rand(3, p) * (r - 1), "channels": c, "resolution": r}
        for p, c, r in ((30, 8, 4), (50, 16, 3), (200, 64, 8), (1, 1, 2))
    ]
    cases.append({"coords": torch.full((3, 5), 1.2), "channels": 4, "resolution": 4})
    cases.append({"coords": _halves(rand), "channels": 2, "resolution": 4})
    return cases


GRID_REPORT = Check(
    name="grid_report",
    drive=_drive_grid_report,
    inputs=_inputs_grid_report,
    judge=values_judge(
        {
            "alone": "alone, the share of points that have a voxel to themselves,",
            "occupied": "occupied, the share of voxels that hold a point,",
            "bytes": "bytes, the size of the dense grid,",
            "changed": "the report is right but the coordinates that you were given were changed",
        },
        rtol=1e-6,
        atol=0.0,
    ),
)


# 5.4 · devoxelize


def _drive_devoxelize(trilinear_devoxelize: Any, case: Values) -> Values:
    leaf, sixteenths, upstream = case["voxels"], case["sixteenths"], case["upstream"]
    assert isinstance(leaf, Tensor) and isinstance(sixteenths, Tensor) and isinstance(upstream, Tensor)
    coords = sixteenths / 16  # all weights are exact: no processor rounds them
    leaf.requires_grad_()
    voxels = leaf * 1.0
    kept = voxels.detach().clone(), coords.clone()
    features = returned_tensor(trilinear_devoxelize(voxels, coords))
    changed = not (torch.equal(voxels.detach(), kept[0]) and torch.equal(coords, kept[1]))
    if features.shape != upstream.shape:
        raise AnswerError(
            "Returned", f"returned shape {tuple(features.shape)} where {tuple(upstream.shape)} belongs."
        )
    answer: Values = {"features": features.detach(), "changed": changed, "trainable": features.requires_grad}
    if features.requires_grad:
        answer["gradient"] = gradient(features, leaf, upstream)
    return answer


def _inputs_devoxelize(seed: int) -> list[Values]:
    generator = torch.Generator().manual_seed(seed)

    def positive(*shape: int) -> Tensor:
        """Between .5 and 1.5: no sum of them is a small difference of large numbers."""
        return 0.5 + torch.rand(shape, generator=generator)

    def anywhere(n: int, points: int, resolution: int) -> Tensor:
        """(N, 3, P): places in a grid, in sixteenths of a voxel."""
        return torch.randint(16 * (resolution - 1) + 1, (n, 3, points), generator=generator)

    cases: list[Values] = []
    for n, c, p, r in ((2, 3, 7, 3), (1, 2, 9, 4), (3, 1, 5, 2)):
        cases.append({"voxels": positive(n, c, r, r, r), "sixteenths": anywhere(n, p, r)})
    corners = torch.tensor([[[0, 32, 32, 16], [0, 32, 24, 16], [0, 32, 4, 32]]])
    cases.append({"voxels": positive(1, 2, 3, 3, 3), "sixteenths": corners})  # at the last voxel of an axis
    apart = positive(2, 3, 3, 3, 2).movedim(4, 1)  # not contiguous
    cases.append({"voxels": apart, "sixteenths": anywhere(2, 4, 3)})
    for case in cases:
        voxels, sixteenths = case["voxels"], case["sixteenths"]
        assert isinstance(voxels, Tensor) and isinstance(sixteenths, Tensor)
        case["upstream"] = positive(voxels.shape[0], voxels.shape[1], sixteenths.shape[2])
    return cases


DEVOXELIZE = Check(
    name="trilinear_devoxelize",
    drive=_drive_devoxelize,
    inputs=_inputs_devoxelize,
    judge=values_judge(
        {
            "features": "the tensor of interpolated features (cloud, channel, point)",
            "trainable": "the features are right but no gradient comes through them: the grid could not be trained",
            "gradient": "the gradient with respect to the voxels",
            "changed": "the features are right but one of your inputs was changed",
        }
    ),
)
