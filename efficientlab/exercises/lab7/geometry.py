"""Lab 7, the checks on where pixels lie and into which cell a point falls: exercises 7.1 and 7.4."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from efficientlab.exercises.cases import picker, quarters, random_tensors, tensor_of, watched
from efficientlab.exercises.contract import AnswerError, Check, Values, returned_tensor, values_judge

# 7.1 · a pixel in space

_MATRICES = ("intrinsics", "rotation", "place", "augment")


def _drive_pixel_to_rig(pixel_to_rig: Any, case: Values) -> Values:
    given = [tensor_of(case, name) for name in ("pixels", "depth", *_MATRICES)]
    changed = watched(*given)
    points = returned_tensor(pixel_to_rig(*given))
    return {"points": points, "changed": changed()}


def rotation(axis: Tensor) -> Tensor:
    """(3, 3): turns by |axis| radians about it."""
    x, y, z = axis.tolist()
    return torch.linalg.matrix_exp(torch.tensor([[0, -z, y], [z, 0, -x], [-y, x, 0]], dtype=torch.float64))


def _inputs_pixel_to_rig(seed: int) -> list[Values]:
    randn = random_tensors(seed)
    # Ahead-left by hand: the camera looks along x, so its axes (right, down, ahead) are −y, −z and x.
    ahead = torch.tensor([[0.0, 0, 1], [-1, 0, 0], [0, -1, 0]], dtype=torch.float64)
    cases: list[Values] = []
    for points, how in ((5, "as taken"), (6, "scaled and cropped"), (4, "mirrored"), (7, "turned")):
        pixels = torch.rand(points, 2, generator=torch.Generator().manual_seed(seed + points)).double()
        pixels = pixels * torch.tensor([90.0, 30.0])
        intrinsics = torch.tensor([[41.0 + points, 0, 47.5], [0, 38.0, 15.5], [0, 0, 1]], dtype=torch.float64)
        augment = torch.eye(3, dtype=torch.float64)
        if how == "scaled and cropped":
            augment[0] = torch.tensor([1.25, 0, -9])
            augment[1] = torch.tensor([0, 1.5, -4])
        elif how == "mirrored":
            augment[0] = torch.tensor([-1.0, 0, 95])
        elif how == "turned":
            augment[:2, :2] = torch.tensor([[0.9, 0.3], [-0.2, 1.1]])
            augment[:2, 2] = torch.tensor([3.0, -2.0])
        cases.append(
            {
                "pixels": pixels,
                "depth": 2 + 6 * torch.rand(points, generator=torch.Generator().manual_seed(seed)).double(),
                "intrinsics": intrinsics,
                "rotation": ahead if how == "as taken" else rotation(0.4 * randn(3)) @ ahead,
                "place": torch.tensor([1.5, 0.3, 1.6], dtype=torch.float64) + 0.2 * randn(3).double(),
                "augment": augment,
            }
        )
    # In single precision, as the lab's: of numbers that no inverse and no product of these rounds.
    exact: Values = {
        "pixels": quarters(20 + 8 * randn(5, 2)),
        "depth": quarters(4 + randn(5).abs()),
        "intrinsics": torch.tensor([[32.0, 0, 48], [0, 64, 16], [0, 0, 1]]),
        "rotation": ahead.float(),
        "place": torch.tensor([1.5, 0.25, 1.75]),
        "augment": torch.tensor([[0.5, 0, -8], [0, 2, 4], [0, 0, 1]]),
    }
    return [*cases, exact]


PIXEL_TO_RIG = Check(
    name="pixel_to_rig",
    drive=_drive_pixel_to_rig,
    inputs=_inputs_pixel_to_rig,
    judge=values_judge(
        {
            "points": "the tensor of points (point, axis)",
            "changed": "the points are right but one of your inputs was changed",
        },
        rtol=1e-6,
        atol=1e-6,
    ),
)


# 7.4 · the cell of a point


def _drive_cell_index(cell_index: Any, case: Values) -> Values:
    points, street = tensor_of(case, "points"), tensor_of(case, "street")
    x = (case["x_start"], case["x_stop"], case["x_step"])
    y = (case["y_start"], case["y_stop"], case["y_step"])
    changed = watched(points, street)
    cell = returned_tensor(cell_index(points, street, x, y, (case["lowest"], case["highest"])))
    if cell.is_floating_point() or cell.dtype == torch.bool:
        raise AnswerError("Returned", f"returned numbers of dtype {cell.dtype}; cells are integers.")
    return {"cell": cell.long(), "changed": changed()}


def _inputs_cell_index(seed: int) -> list[Values]:
    """Points well inside of cells, so that rounding decides nothing; and some exactly on borders that are exact."""
    pick = picker(seed)
    generator = torch.Generator().manual_seed(seed)
    cases: list[Values] = []
    for x, y, z in (
        ((-2.0, 2.0, 0.5), (-1.0, 2.0, 0.5), (-1.0, 3.0)),
        ((0.0, 6.0, 2.0), (-4.0, 4.0, 1.0), (0.0, 2.0)),
        ((0.0, 4.2, 0.6), (-1.0, 1.4, 0.4), (-2.0, 2.0)),  # 7.000…1 and 5.999… cells, in floating point
    ):
        columns, rows = (round((stop - start) / step) for start, stop, step in (x, y))
        exact = [(stop - start) / step == n for (start, stop, step), n in ((x, columns), (y, rows))]
        # a border that is not exact decides nothing
        last_x, last_y = (
            axis[1] if sure else axis[1] + 0.1 * axis[2] for axis, sure in zip((x, y), exact, strict=True)
        )
        count = 24
        i = torch.randint(-2, columns + 2, (count,), generator=generator)
        j = torch.randint(-2, rows + 2, (count,), generator=generator)
        share = 0.2 + 0.6 * torch.rand(2, count, generator=generator, dtype=torch.float64)
        height = torch.rand(count, generator=generator, dtype=torch.float64) * (z[1] - z[0]) + z[0]
        px, py = x[0] + (i + share[0]) * x[2], y[0] + (j + share[1]) * y[2]
        border = torch.tensor(  # a tenth of a cell outside, on the last border, on the lowest and the highest height
            [
                [x[0] - 0.1 * x[2], y[0] + 0.3 * y[2], z[0] + 0.5],
                [x[0] + 0.3 * x[2], y[0] - 0.1 * y[2], z[0] + 0.5],
                [last_x, y[0] + 0.3 * y[2], z[0] + 0.5],
                [x[0] + 0.3 * x[2], last_y, z[0] + 0.5],
                [x[0], y[0], z[0] + 0.5],
                [x[0] + 0.3 * x[2], y[0] + 0.3 * y[2], z[0]],
                [x[0] + 0.3 * x[2], y[0] + 1.3 * y[2], z[1]],
                [x[0] + 0.3 * x[2], y[0] + 1.3 * y[2], z[1] + 1.0],
                [x[0] + 0.3 * x[2], y[0] + 1.3 * y[2], z[0] - 1.0],
            ],
            dtype=torch.float64,
        )
        points = torch.cat([torch.stack([px, py, height], 1), border])
        first = pick(0, 1)  # a batch may hold no point of the first street
        street = first + torch.randint(pick(2, 3), (len(points),), generator=generator)
        case: Values = {"points": points, "street": street, "lowest": z[0], "highest": z[1]}
        case |= dict(zip(("x_start", "x_stop", "x_step"), x, strict=True))
        case |= dict(zip(("y_start", "y_stop", "y_step"), y, strict=True))
        cases.append(case)
    return cases


CELL_INDEX = Check(
    name="cell_index",
    drive=_drive_cell_index,
    inputs=_inputs_cell_index,
    judge=values_judge(
        {
            "cell": "the tensor of cell numbers (point)",
            "changed": "the numbers are right but the points or their streets were changed",
        },
        rtol=0.0,
        atol=0.0,
    ),
)
