"""Mean intersection over union of classes, over a whole split; and what the best labels of voxels would score."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from efficientlab.datasets.points.clouds import IGNORED
from efficientlab.training.finite import finite, labels_within


@dataclass(frozen=True)
class ClassScore:
    """How well classes were found.

    Attributes:
        iou: (K,) of each class; NaN for one that neither occurs nor is predicted.
        present: (K,), whether a point has the class in truth.
        accuracy: the share of points with the right label.
    """

    iou: Tensor
    present: Tensor
    accuracy: float

    @property
    def miou(self) -> float:
        """The mean over the classes that occur in truth."""
        return self.iou[self.present].mean().item()

    def mean_of(self, classes: list[int]) -> float:
        """The mean over some classes.

        Raises:
            ValueError: there are none, or one neither occurs nor is predicted.
        """
        known = set(range(len(self.iou)))
        if not classes or not known.issuperset(classes) or self.iou[classes].isnan().any():
            raise ValueError(f"classes must all occur, at least one of them; got {classes}.")
        return self.iou[classes].mean().item()


def class_score(predicted: Tensor, true: Tensor, classes: int) -> ClassScore:
    """Compares labels of any one shape. Points whose true label is `IGNORED` are left out.

        IoU_k = |predicted = k ∧ true = k| / |predicted = k ∨ true = k|,  summed over all points of all scans

    Neither the mean of IoUs scan by scan, nor 1 or 0 for a class that does not occur.

    Raises:
        ValueError: shapes differ, nothing is left to compare, or a label is not in 0 … classes − 1.
    """
    if predicted.shape != true.shape:
        raise ValueError(f"predictions {tuple(predicted.shape)} do not fit labels {tuple(true.shape)}.")
    # In 8 bits IGNORED would be another number, and a place in the table would wrap.
    counted = true.long() != IGNORED
    p, t = predicted[counted].cpu(), true[counted].cpu()
    if not len(t):
        raise ValueError("there is no labelled point to compare.")
    for name, labels in (("predicted", p), ("true", t)):
        labels_within(labels, classes, f"{name} labels")
    p, t = p.long(), t.long()
    table = torch.bincount(t * classes + p, minlength=classes**2).double()
    table = table.view(classes, classes)  # (true, predicted)
    both, in_truth = table.diag(), table.sum(1)
    return ClassScore(
        iou=both / (in_truth + table.sum(0) - both),
        present=in_truth > 0,
        accuracy=(both.sum() / table.sum()).item(),
    )


def voxel_oracle(points: Tensor, label: Tensor, size: float) -> Tensor:
    """The most frequent label of each point's voxel: the answer of a network that gives voxels, not points, labels.

    No labelling of voxels has more points right. Points with the label `IGNORED` have no say.

    Args:
        points: (N, 3, P), in metres.
        label: (N, P).
        size: of a voxel, in metres.

    Returns:
        (N, P); IGNORED in voxels without a label.

    Raises:
        ValueError: shapes do not fit, there is no point or it is not finite, size is not positive, or a label negative
            or no whole number.
    """
    if points.ndim != 3 or label.shape != (len(points), points.shape[2]) or not label.numel():
        raise ValueError(
            f"points (N, 3, P) and label (N, P) must fit and not be empty, got {tuple(points.shape)} and "
            f"{tuple(label.shape)}."
        )
    if not size > 0:
        raise ValueError(f"size must be positive, got {size}.")
    finite(points, "coordinates")
    if label.is_floating_point() or (label.long()[label.long() != IGNORED] < 0).any():
        raise ValueError(
            f"labels must be whole numbers from 0, or {IGNORED}; got {label.dtype} from {label.min()}."
        )
    label = label.long()
    cloud = torch.arange(len(points)).repeat_interleave(points.shape[2])
    cells = (points.mT.flatten(0, 1).double() / size).floor().long()  # (N · P, 3)
    row = torch.cat([cloud[:, None], cells], 1).unique(dim=0, return_inverse=True)[1]  # (N · P,)
    flat = label.flatten()
    counted = flat != IGNORED
    classes = int(flat.max().clamp_min(0)) + 1
    votes = torch.zeros(int(row.max()) + 1, classes, dtype=torch.int64)
    votes.index_put_((row[counted], flat[counted]), torch.ones((), dtype=torch.int64), accumulate=True)
    winner = torch.where(votes.sum(1) > 0, votes.argmax(1), IGNORED)
    return winner[row].view_as(label)
