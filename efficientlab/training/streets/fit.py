"""Trains networks of streets, and scores them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from efficientlab.datasets.streets.labels import CLASSES
from efficientlab.datasets.streets.ragged import Ragged
from efficientlab.datasets.streets.views import Views
from efficientlab.models.streets.bevfusion import BEVFusion, Sensor
from efficientlab.models.streets.camera import STRIDE
from efficientlab.training.loop import Run, train
from efficientlab.training.streets.decode import decode
from efficientlab.training.streets.depth import depth_loss, depth_targets
from efficientlab.training.streets.losses import losses
from efficientlab.training.streets.metrics import best_thresholds, mean_average_precision, overlap
from efficientlab.training.streets.targets import make_targets


def fit(
    model: BEVFusion,
    views: Views,
    *,
    tasks: tuple[str, ...] = ("heat", "box", "map"),
    seed: int = 0,
    bar: Any = None,
    **recipe: Any,
) -> Run:
    """Trains `model` in place, on both tasks or on one, with the recipe of `loop.train`.

    Cameras learn depth from the LiDAR's points; to see, they need none.
    """
    device = next(model.parameters()).device

    def loss_of(index: Tensor) -> Tensor:
        part = views[index].to(device)
        outputs = model(part)
        each = losses(outputs, make_targets(part.boxes, outputs.heat.shape[1], model.grid), part.map)
        total = torch.stack([each[task] for task in tasks]).sum()
        if outputs.depth is not None and model.camera is not None:
            height, width = outputs.depth.shape[-2:]
            targets = depth_targets(part, model.camera.depths, (height, width), STRIDE)
            total = total + depth_loss(outputs.depth, targets)
        return total

    return train(model, len(views), loss_of, seed=seed, bar=bar, unit="streets", **recipe)


@dataclass(frozen=True)
class Predictions:
    """Boxes (ΣP, 9) as from `decode`, and logits (N, K, X, Y) of the map."""

    boxes: Ragged
    map: Tensor


@torch.inference_mode()
def predict(model: BEVFusion, views: Views, *, missing: Sensor | None = None, batch: int = 8) -> Predictions:
    """What a network finds in streets, in evaluation mode.

    Raises:
        ValueError: there is no street, or a score of a box is NaN.
    """
    if not len(views):
        raise ValueError("there is no street to look at.")
    device = next(model.parameters()).device
    model.eval()
    boxes: list[Tensor] = []
    maps: list[Tensor] = []
    for start in range(0, len(views), batch):
        outputs = model(views[start : start + batch].to(device), missing)
        boxes += decode(outputs, model.grid).to("cpu").unbind()
        maps.append(outputs.map.cpu())
    return Predictions(Ragged.of(boxes), torch.cat(maps))


@dataclass(frozen=True)
class Score:
    """Average precision (classes, distances), and intersection over union (K,) at thresholds from validation."""

    precision: Tensor
    iou: Tensor

    @property
    def mean_precision(self) -> float:
        """nuScenes' mAP in percent, over the classes that occur."""
        return 100 * float(self.precision.nanmean())

    @property
    def mean_iou(self) -> float:
        """In percent, over the classes that occur."""
        return 100 * float(self.iou.nanmean())


def thresholds_of(predictions: Predictions, views: Views) -> Tensor:
    """int64 (K,): which of `THRESHOLDS` is best for each class of the map, on a validation split."""
    return best_thresholds(overlap(predictions.map, views.map))


def score(predictions: Predictions, views: Views, thresholds: Tensor) -> Score:
    """Scores predictions; the thresholds of the map are those of `thresholds_of` on a validation split."""
    chosen = overlap(predictions.map, views.map).iou.gather(1, thresholds[:, None])[:, 0]
    kinds = views.boxes.rows[:, 0]
    classes = max(len(CLASSES), int(kinds.max()) + 1 if len(kinds) else 0)
    return Score(mean_average_precision(predictions.boxes, views.boxes, classes), chosen)
