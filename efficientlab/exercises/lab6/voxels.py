"""Lab 6's checks of occupied voxels: from points (6.1), and at half the resolution (6.2)."""

from __future__ import annotations

from typing import Any

import torch

from efficientlab.exercises.cases import in_single, random_tensors, tensor_of
from efficientlab.exercises.contract import AnswerError, Check, Values, returned_tensor, values_judge
from efficientlab.exercises.gradients import gradient
from efficientlab.exercises.lab6.drawn import drawn_points, drawn_voxels, far_voxels, whole_numbers

# 6.1 · voxelize


def _drive_voxelize(voxelize: Any, case: Values) -> Values:
    points, leaf, upstream = (tensor_of(case, key) for key in ("points", "features", "upstream"))
    leaf.requires_grad_()
    features = leaf * 1.0
    kept = points.clone(), features.detach().clone()
    returned = voxelize(points, features, float(case["size"]))
    if not isinstance(returned, tuple | list) or len(returned) != 3:
        raise AnswerError("Returned", "returned something else than three tensors: coords, row and mean.")
    coords, row, mean = (returned_tensor(value) for value in returned)
    answer: Values = {
        "coords": whole_numbers(coords, " for coords"),
        "row": whole_numbers(row, " for row"),
        "mean": mean.detach(),
        "changed": not (torch.equal(points, kept[0]) and torch.equal(features.detach(), kept[1])),
        "trainable": mean.requires_grad,
    }
    if mean.requires_grad and mean.shape == upstream.shape:
        answer["gradient"] = gradient(mean, leaf, upstream)
    return answer


def _inputs_voxelize(seed: int) -> list[Values]:
    randn = random_tensors(seed)
    cases: list[Values] = []
    for clouds, points, channels, low, high, size in (
        (2, 40, 3, -2, 2, 0.5),  # both sides of 0, where cutting off is not rounding down
        (3, 30, 2, -1, 2, 2.0),
        (1, 12, 1, -1, 1, 0.25),
        (1, 1, 4, -3, 3, 0.1),
        (
            2,
            30,
            2,
            -700,
            700,
            0.5,
        ),  # a street of hundreds of voxels: a number made of four needs room for each
    ):
        at = drawn_points(seed, clouds, points, low, high)
        at[:, 0] = 2 * at[:, 0] + 1  # a number says which cloud, not which place in a row of clouds
        if size != 0.1:  # whose multiples are not exact
            at[:3, 1:] = at[:3, 1:].floor()  # on a voxel's lower border, which belongs to it
        if high == 700:
            at = torch.cat([at, far_voxels(at[0])])
        at[:, 1:] *= size
        cases.append({"points": at, "features": randn(len(at), channels, dtype=torch.float64), "size": size})
    for case in cases:
        cells = tensor_of(case, "points").clone()
        cells[:, 1:] /= float(case["size"])
        occupied = len(cells.floor().unique(dim=0))
        case["upstream"] = randn(occupied, tensor_of(case, "features").shape[1], dtype=torch.float64)
    return [*cases, in_single(cases[1])]


VOXELIZE = Check(
    name="voxelize",
    drive=_drive_voxelize,
    inputs=_inputs_voxelize,
    judge=values_judge(
        {
            "coords": "coords (voxel; cloud, x, y, z)",
            "row": "row, the voxel of each point,",
            "mean": "the mean feature (voxel, channel)",
            "trainable": "the means are right but no gradient comes through them: nothing before could be trained",
            "gradient": "the gradient with respect to the features",
            "changed": "the answer is right but the points or features that you were given were changed",
        }
    ),
)


# 6.2 · half the resolution


def _drive_downsample(downsample: Any, case: Values) -> Values:
    coords = tensor_of(case, "coords")
    before = coords.clone()
    coarse = returned_tensor(downsample(coords, case["stride"]))
    return {"coords": whole_numbers(coarse), "changed": not torch.equal(coords, before)}


def _inputs_downsample(seed: int) -> list[Values]:
    return [
        {"coords": drawn_voxels(seed, clouds, count, low, high), "stride": stride}
        for clouds, count, low, high, stride in (
            (3, 36, -4, 4, 2),
            (4, 30, -5, 4, 3),
            (1, 8, 0, 6, 4),
            (2, 20, -3000, 3000, 2),
        )
    ]


DOWNSAMPLE = Check(
    name="downsample",
    drive=_drive_downsample,
    inputs=_inputs_downsample,
    judge=values_judge(
        {
            "coords": "the table of coarse voxels (voxel; cloud, x, y, z)",
            "changed": "the answer is right but the coordinates that you were given were changed",
        },
        rtol=0.0,
        atol=0.0,
    ),
)
