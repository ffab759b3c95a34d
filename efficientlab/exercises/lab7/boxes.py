"""Lab 7, the checks on how boxes are learnt and found: exercises 7.10 to 7.12."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from efficientlab.exercises.cases import tensor_of, watched
from efficientlab.exercises.contract import AnswerError, Check, Values, returned_tensor, values_judge
from efficientlab.exercises.gradients import gradient

# 7.10 · heat around centres


def _drive_heat(heat_target: Any, case: Values) -> Values:
    cell, kind = tensor_of(case, "cell"), tensor_of(case, "kind")
    size = (case["classes"], case["columns"], case["rows"])
    changed = watched(cell, kind)
    heat = returned_tensor(heat_target(cell, kind, size, case["radius"])).double()
    return {"heat": heat, "changed": changed()}


def _inputs_heat(seed: int) -> list[Values]:
    generator = torch.Generator().manual_seed(seed)
    cases: list[Values] = []
    for columns, rows, classes, things, radius, more in (
        (12, 9, 2, 3, 2, 0),
        (8, 14, 3, 4, 1, 1),  # a class of which there is nothing
        (10, 10, 1, 1, 3, 0),
    ):
        cell = torch.stack([torch.randint(n, (things,), generator=generator) for n in (columns, rows)], 1)
        kind = torch.randint(classes, (things,), generator=generator)
        near = torch.tensor([[3, 4], [4, 4], [0, 0], [columns - 1, rows - 1]])  # neighbours, and two corners
        cases.append(
            {
                "cell": torch.cat([near, cell]),
                "kind": torch.cat([torch.tensor([0, 0, classes - 1, 0]), kind]),
                "classes": classes + more,
                "columns": columns,
                "rows": rows,
                "radius": radius,
            }
        )
    cases.append({**cases[0], "cell": torch.zeros(0, 2).long(), "kind": torch.zeros(0).long()})
    return cases


HEAT = Check(
    name="heat_target",
    drive=_drive_heat,
    inputs=_inputs_heat,
    judge=values_judge(
        {
            "heat": "the heat (class, x, y)",
            "changed": "the heat is right but the cells or kinds that you were given were changed",
        },
        rtol=1e-4,
        atol=1e-6,
    ),
)


# 7.11 · the loss


def _drive_loss(heat_loss: Any, case: Values) -> Values:
    logits, heat = tensor_of(case, "logits").requires_grad_(), tensor_of(case, "heat")
    given = logits * 1.0
    changed = watched(given, heat)
    loss = returned_tensor(heat_loss(given, heat))
    if loss.numel() != 1:
        raise AnswerError("Returned", f"returned shape {tuple(loss.shape)} where one number belongs.")
    answer: Values = {
        "loss": loss.detach().reshape(()),
        "trainable": loss.requires_grad,
        "changed": changed(),
    }
    if loss.requires_grad:
        answer["gradient"] = gradient(loss.reshape(()), logits)
    return answer


def _inputs_loss(seed: int) -> list[Values]:
    generator = torch.Generator().manual_seed(seed)
    cases: list[Values] = []
    for shape, centres in (((2, 2, 5, 4), 3), ((1, 3, 4, 4), 1), ((3, 1, 3, 3), 5), ((1, 1, 3, 3), 0)):
        heat = torch.rand(shape, generator=generator, dtype=torch.float64) * 0.95
        place = torch.randperm(heat.numel(), generator=generator)[:centres]
        heat.view(-1)[place] = 1.0
        if shape[1] == 2:
            heat[0, :, 1, 2] = 1.0  # centres of two classes in one cell
        logits = 1.5 * torch.randn(shape, generator=generator, dtype=torch.float64) - 1
        cases.append({"logits": logits, "heat": heat})
    heat = torch.rand((1, 2, 3, 4), generator=generator, dtype=torch.float64) * 0.95
    heat[0, 0, 1, 2] = 1.0
    logits = torch.randn(heat.shape, generator=generator, dtype=torch.float64)
    logits[0, 0, 1, 2], logits[0, 1, 0, 0] = -1000.0, 1000.0  # sure, and wrong: sigmoids of exactly 0 and 1
    cases.append({"logits": logits, "heat": heat})
    return cases


HEAT_LOSS = Check(
    name="heat_loss",
    drive=_drive_loss,
    inputs=_inputs_loss,
    judge=values_judge(
        {
            "loss": "the loss",
            "trainable": "the loss is right but no gradient comes through it",
            "gradient": "the gradient with respect to the logits",
            "changed": "the loss is right but the logits or the heat that you were given were changed",
        },
        rtol=1e-5,
        atol=1e-8,
    ),
)


# 7.12 · peaks


def _drive_peaks(find_peaks: Any, case: Values) -> Values:
    heat = tensor_of(case, "heat")
    kept, changed = heat.clone(), watched(heat)
    found = returned_tensor(find_peaks(heat, case["most"]))
    if found.is_floating_point() or found.dtype == torch.bool:
        raise AnswerError(
            "Returned", f"returned numbers of dtype {found.dtype}; classes and cells are integers."
        )
    return {"peaks": _equals_in_order(found.long(), kept), "changed": changed()}


def _equals_in_order(found: Tensor, heat: Tensor) -> Tensor:
    """Peaks (P, 3) that fall in heat, those of equal heat by class, x and y: their order is free."""
    if (
        found.ndim != 2
        or found.shape[1] != 3
        or not ((found >= 0) & (found < torch.tensor(heat.shape))).all()
    ):
        return found
    at = heat[tuple(found.T)].tolist()
    if at != sorted(at, reverse=True):
        return found
    rows = sorted(zip([-value for value in at], found.tolist(), strict=True))
    return torch.tensor([row for _, row in rows], dtype=torch.int64).reshape(-1, 3)


def _inputs_peaks(seed: int) -> list[Values]:
    """Hills whose tops differ, two of them in neighbouring cells of two classes, and tops on the border."""
    generator = torch.Generator().manual_seed(seed)
    cases: list[Values] = []
    for classes, columns, rows, most in ((2, 9, 7, 4), (3, 6, 10, 5), (2, 8, 8, 3)):
        heat = 0.02 * torch.rand(classes, columns, rows, generator=generator, dtype=torch.float64)
        tops = [(0, 3, 3), (1, 3, 4), (0, 0, rows - 1), (1, columns - 1, 0), (0, columns - 2, 3)]
        order = torch.randperm(len(tops), generator=generator).tolist()
        for rank, which in enumerate(order):
            k, i, j = tops[which]
            top = 0.9 - 0.1 * rank
            for di in (-1, 0, 1):
                for dj in (-1, 0, 1):
                    if 0 <= i + di < columns and 0 <= j + dj < rows:
                        fall = 0.9 if (di, dj) != (0, 0) else 1.0  # the neighbours are nearly as hot
                        heat[k, i + di, j + dj] = max(float(heat[k, i + di, j + dj]), fall * top)
        cases.append({"heat": heat, "most": most})
    level = tensor_of(cases[0], "heat").clone()
    # two neighbours, equally hot: none has more heat than the other, so both are peaks; and one two cells further
    level[1, 5, 5:], level[1, 7, 5] = 0.95, 0.93
    level[0, 4:6, 6] = 0.97  # and two along the other axis
    faint = tensor_of(cases[1], "heat") / 16  # peaks count however cold they are
    return [*cases, {"heat": level, "most": 7}, {"heat": faint, "most": 5}]


PEAKS = Check(
    name="find_peaks",
    drive=_drive_peaks,
    inputs=_inputs_peaks,
    judge=values_judge(
        {
            "peaks": "the tensor of peaks (rank; class, x, y)",
            "changed": "the peaks are right but the heat that you were given was changed",
        },
        rtol=0.0,
        atol=0.0,
    ),
)
