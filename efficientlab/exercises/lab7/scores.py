"""Lab 7, the checks on scores of boxes and maps: exercises 7.13 and 7.9."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from efficientlab.exercises.cases import tensor_of, watched
from efficientlab.exercises.contract import Check, Values, returned_number, returned_tensor, values_judge

# 7.13 · average precision


def _drive_precision(average_precision: Any, case: Values) -> Values:
    found, score, truth = (tensor_of(case, k) for k in ("found", "score", "truth"))
    changed = watched(found, score, truth)
    value = average_precision(found, score, truth, case["within"])
    if isinstance(value, torch.Tensor) and value.numel() == 1:
        value = value.item()
    return {"precision": float(returned_number(value)), "changed": changed()}


def _inputs_precision(seed: int) -> list[Values]:
    """Truths on a lattice, predictions at distances from them that are far from every threshold.

    The numbers of truths are primes, or powers of two: no recall but exact ones falls on a place where it is read,
    where rounding would decide between two precisions.
    """
    generator = torch.Generator().manual_seed(seed)
    cases: list[Values] = []
    for streets, truths, missed, doubled, within in (
        (3, 8, 2, 3, 2.0),
        (2, 6, 1, 1, 1.0),
        (4, 12, 4, 5, 4.0),
    ):
        street = torch.randint(streets, (truths,), generator=generator).double()
        place = torch.arange(truths).double()
        truth = torch.stack([street, 20 * (place % 3), 20 * (place // 3)], 1)
        hit = truth[torch.randperm(truths, generator=generator)[: truths - missed]]
        twice = hit[:doubled]  # a second box on the same thing
        lost = truth[:2] + torch.tensor([1.0, 0, 0])  # the same place in another street
        far = truth[1:3].clone()
        found = torch.cat([hit, twice, lost, far])
        angle = 2 * torch.pi * torch.rand(len(found), generator=generator, dtype=torch.float64)
        reach = torch.full((len(found),), 0.6 * within, dtype=torch.float64)
        reach[len(hit) : len(hit) + len(twice)] = 0.85 * within
        reach[-2:] = 1.25 * within  # near the truth in none of its directions
        diagonal = torch.pi / 4 + 0.05 * torch.randn(2, generator=generator, dtype=torch.float64)
        angle[-2:] = diagonal  # by each axis alone within the distance
        found[:, 1:] += reach[:, None] * torch.stack([angle.cos(), angle.sin()], 1)
        score = (torch.randperm(len(found), generator=generator).double() + 1) / (len(found) + 1)
        if not cases:
            score[0] = 1.0  # here the surest is a hit; among the pairs below it is none
        cases.append({"found": found, "score": score, "truth": truth, "within": within})
    # Exactly at the distance, which is no hit; pairs of truths, the nearer of which is taken or stands second, with
    # predictions in a street without any, and one more for the first truth; no predictions; a low recall.
    exact = torch.tensor([[0.0, 2, 0]], dtype=torch.float64)
    at = torch.tensor([[0.0, 0, 0], [0, 10, 0.5]], dtype=torch.float64)
    cases.append({"found": exact, "score": torch.tensor([0.9]).double(), "truth": at, "within": 2.0})
    pair = torch.tensor([[0.0, 0, 0], [0, 1.5, 0], [1, 1.5, 0], [1, 0, 0]], dtype=torch.float64)
    near = torch.tensor(
        [[2, 9, 9], [0, 0.1, 0], [2, 0, 0], [0, 0.3, 0], [1, 0.1, 0], [0, 0.1, 0.1], [1, 2.5, 0]],
        dtype=torch.float64,
    )
    sure = torch.tensor([0.95, 0.9, 0.85, 0.8, 0.7, 0.65, 0.6], dtype=torch.float64)
    cases.append({"found": near, "score": sure, "truth": pair, "within": 2.0})
    many = torch.stack([torch.zeros(16), 9.0 * torch.arange(16), torch.zeros(16)], 1).double()
    cases.append(
        {"found": many[:2], "score": torch.tensor([0.9, 0.8]).double(), "truth": many, "within": 1.0}
    )
    cases.append({**cases[0], "found": torch.zeros(0, 3).double(), "score": torch.zeros(0).double()})
    return cases


PRECISION = Check(
    name="average_precision",
    drive=_drive_precision,
    inputs=_inputs_precision,
    judge=values_judge(
        {
            "precision": "the average precision",
            "changed": "the average precision is right but the predictions or truths that you were given were changed",
        },
        rtol=1e-5,
        atol=1e-6,
    ),
)


# 7.9 · intersection over union


def _drive_iou(map_iou: Any, case: Values) -> Values:
    given = [
        tensor_of(case, k) for k in ("val_logits", "val_truth", "test_logits", "test_truth", "thresholds")
    ]
    changed = watched(*given)
    return {"iou": returned_tensor(map_iou(*given)).double(), "changed": changed()}


def _inputs_iou(seed: int) -> list[Values]:
    """Logits that are far from every threshold, and splits whose best thresholds stand out."""
    generator = torch.Generator().manual_seed(seed)
    thresholds = torch.tensor([0.25, 0.4, 0.55, 0.7], dtype=torch.float64)
    cases: list[Values] = []
    for streets, classes, side in ((3, 2, 6), (2, 3, 5), (4, 2, 4)):
        drawn = [_drawn_split(generator, streets, classes, side, k, thresholds) for k in (0, 1)]
        case: Values = {"thresholds": thresholds}
        for split, (logits, truth) in zip(("val", "test"), drawn, strict=True):
            case[f"{split}_logits"], case[f"{split}_truth"] = logits, truth
        cases.append(case)
    # A probability of exactly ½, at a threshold of ½, is not greater.
    even: Values = {"thresholds": torch.tensor([0.25, 0.5], dtype=torch.float64)}
    for split in ("val", "test"):
        truth = tensor_of(cases[0], f"{split}_truth").clone()
        truth[0, :, :2] = False
        logits = torch.where(truth, 2.0, -2.0).double()
        logits[0, :, 0], logits[0, :, 1] = 0.0, 1.0
        even |= {f"{split}_logits": logits, f"{split}_truth": truth}
    return [*cases, even]


def _drawn_split(
    generator: torch.Generator, streets: int, classes: int, side: int, shift: int, thresholds: Tensor
) -> tuple[Tensor, Tensor]:
    """Logits and truths, drawn anew until no class has two thresholds that are nearly equally good."""
    levels = torch.tensor([0.1, 0.3, 0.5, 0.56, 0.85], dtype=torch.float64)
    more = torch.arange(classes)[None, :, None, None] + shift
    while True:
        truth = torch.rand(streets, classes, side, side, generator=generator) < 0.35
        truth[-1] = False  # a street without any
        level = torch.randint(3, truth.shape, generator=generator)
        level = torch.where(truth, level + 2, level + more % 2)
        said = levels[level][..., None] > thresholds
        both, either = (said & truth[..., None]).sum((0, 2, 3)), (said | truth[..., None]).sum((0, 2, 3))
        best, order = (both / either.clamp(min=1)).sort(1, descending=True)
        low = shift or (order[:, 0] < 3).any()  # the logit of 0.56 passes no threshold
        if low and (either > 0).all() and (best[:, 0] - best[:, 1] > 0.02).all():
            return torch.logit(levels[level]), truth


MAP_IOU = Check(
    name="map_iou",
    drive=_drive_iou,
    inputs=_inputs_iou,
    judge=values_judge(
        {
            "iou": "the IoU of the classes",
            "changed": "the IoU is right but the maps that you were given were changed",
        },
        rtol=1e-6,
        atol=1e-8,
    ),
)
