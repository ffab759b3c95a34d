"""How good boxes and maps are: nuScenes' average precision by the distance of centres, and IoU over a whole split.

Caesar et al., "nuScenes" (CVPR 2020), section 3.1 and its development kit (eval/detection).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from efficientlab.datasets.streets.ragged import Ragged
from efficientlab.training.finite import finite, labels_within

DISTANCES = (0.5, 1.0, 2.0, 4.0)
THRESHOLDS = tuple(round(0.2 + 0.05 * k, 2) for k in range(13))


def average_precision(score: Tensor, hit: Tensor, truths: int) -> float:
    """Area between precision and 0.1 over the recalls from 0.1 to 1, as a share of the greatest possible.

    Precision is read at the recalls 0, 0.01, …, 1, between the measured ones by straight lines; beyond the greatest
    recall that was reached it is 0. Precision below 0.1 counts as 0.1, and so do the recalls up to 0.1 nothing.

    Args:
        score: (P,), of all predictions of one class in all streets.
        hit: bool (P,), whether the prediction was matched to a truth.
        truths: how many there are; with none the result is NaN.

    Of predictions with one score the first stands before the others, as in nuScenes' development kit.

    Raises:
        ValueError: a score is not finite; there is not one hit for each, or there are more hits than truths.
    """
    if score.shape != hit.shape or score.ndim != 1 or hit.dtype is not torch.bool:
        raise ValueError(
            f"each score has one hit, true or false; got {tuple(score.shape)} and {hit.dtype} {tuple(hit.shape)}."
        )
    if truths < 0 or 0 < truths < int(hit.sum()):
        raise ValueError(f"{int(hit.sum())} predictions are true, but there are {truths} truths.")
    finite(score, "scores")
    if not truths:
        return float("nan")
    order = torch.argsort(score, descending=True, stable=True)
    found = hit[order].double().cumsum(0)
    if not len(found) or found[-1] == 0:
        return 0.0
    precision = found / torch.arange(1, len(found) + 1)
    grid = np.linspace(0, 1, 101)
    read = np.interp(grid, (found / truths).numpy(), precision.numpy(), right=0.0)
    return min(float(np.maximum(read[11:] - 0.1, 0.0).mean() / 0.9), 1.0)


def matched(found: Ragged, truth: Ragged, kind: int, within: float) -> tuple[Tensor, Tensor, int]:
    """Scores and hits of all predictions of one class, and the number of truths.

    By falling score over all streets, every prediction takes the nearest truth of its class and street that no other
    has taken, if their centres are less than `within` metres apart on the ground.

    Args:
        found: boxes (ΣP, 9) as from `decode`.
        truth: boxes (ΣT, 8).
        kind: the class.
        within: metres.

    Raises:
        ValueError: they are of other numbers of streets, or a number of a box is not finite.
    """
    if len(found) != len(truth):
        raise ValueError(f"found are boxes of {len(found)} streets, truth of {len(truth)}.")
    finite(found.rows, "numbers of boxes")
    finite(truth.rows, "numbers of true boxes")
    mine, theirs = (b.where(b.rows[:, 0] == kind) for b in (found, truth))
    hits = []
    for p, t in zip(mine.unbind(), theirs.unbind(), strict=True):
        hits.append(_match(p, t, within))  # streets do not compete for truths
    hit = torch.cat(hits) if hits else torch.zeros(0, dtype=torch.bool)
    return mine.rows[:, 8], hit, len(theirs.rows)


def _match(found: Tensor, truth: Tensor, within: float) -> Tensor:
    hit = torch.zeros(len(found), dtype=torch.bool)
    if not len(found) or not len(truth):
        return hit
    distance = torch.cdist(found[:, 1:3].double(), truth[:, 1:3].double())  # (P, T)
    for p in torch.argsort(found[:, 8], descending=True, stable=True).tolist():
        nearest, which = distance[p].min(0)
        if nearest < within:
            hit[p] = True
            distance[:, which] = torch.inf
    return hit


def mean_average_precision(
    found: Ragged, truth: Ragged, classes: int, distances: tuple[float, ...] = DISTANCES
) -> Tensor:
    """(classes, distances): `average_precision` of each class within each distance. NaN for a class that never occurs.

    Its mean over everything is nuScenes' mAP.

    Raises:
        ValueError: a class is not in 0 … classes − 1, or no whole number; as `matched`.
    """
    for what, boxes in (("classes of boxes", found), ("classes of true boxes", truth)):
        kinds = finite(boxes.rows[:, 0], what)
        labels_within(kinds.long() if torch.equal(kinds, kinds.round()) else kinds, classes, what)
    return torch.tensor(
        [[average_precision(*matched(found, truth, kind, d)) for d in distances] for kind in range(classes)]
    )


@dataclass(frozen=True)
class Overlap:
    """Counts (K, thresholds) over all cells of a split, from which intersection over union follows."""

    intersection: Tensor
    union: Tensor

    @property
    def iou(self) -> Tensor:
        """(K, thresholds); NaN where a class neither occurs nor is predicted."""
        return self.intersection / self.union


def overlap(logits: Tensor, truth: Tensor, thresholds: tuple[float, ...] = THRESHOLDS) -> Overlap:
    """Of maps (N, K, X, Y) whose probabilities pass each threshold, with truths, bool (N, K, X, Y).

    Raises:
        ValueError: shapes differ, truth is not bool, or a logit is NaN.
    """
    if logits.shape != truth.shape or truth.dtype is not torch.bool:
        raise ValueError(
            f"truth must be bool of logits' shape {tuple(logits.shape)}, got {truth.dtype} {tuple(truth.shape)}."
        )
    p = finite(logits.sigmoid(), "probabilities")
    said = torch.stack([p >= t for t in thresholds], -1)  # (N, K, X, Y, thresholds)
    true = truth[..., None]
    return Overlap((said & true).sum((0, 2, 3)).double(), (said | true).sum((0, 2, 3)).double())


def best_thresholds(validation: Overlap) -> Tensor:
    """int64 (K,): the threshold with the greatest IoU of each class, by number. To be chosen on validation alone."""
    return validation.iou.nan_to_num(-1).argmax(1)
