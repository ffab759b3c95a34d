"""Train networks that label the points of clouds, on equal terms and side by side, and score them by mIoU."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from efficientlab.datasets.points.clouds import Clouds
from efficientlab.training.finite import finite, labels_within
from efficientlab.training.loop import Run, train
from efficientlab.training.side_by_side import Key, side_by_side


def fit(model: nn.Module, clouds: Clouds, *, seed: int = 0, bar: Any = None, **recipe: Any) -> Run:
    """Trains ``model`` in place by the mean cross-entropy over points, with the recipe of ``loop.train``.

    Args:
        model: maps features (N, C, P) and points (N, 3, P) to logits (N, classes, P); stays on its device.
        clouds: what to learn from, on any device.
        seed: of the order of the clouds.
        bar: a tqdm bar to advance by one a step; by default one of its own.
        recipe: epochs, batch in clouds, lr, and weight_decay if it is not to be the default.

    Raises:
        ValueError: fewer clouds than one batch, or no epochs; a loss that is not finite.
    """
    device = next(model.parameters()).device

    def loss_of(index: Tensor) -> Tensor:
        part = clouds[index].to(device)
        return F.cross_entropy(model(part.features, part.points), part.part)

    return train(model, len(clouds), loss_of, seed=seed, bar=bar, unit="clouds", **recipe)


def fit_all(
    models: Mapping[Key, nn.Module],
    clouds: Clouds,
    *,
    seeds: Mapping[Key, int],
    workers: int = 2,
    **recipe: Any,
) -> dict[Key, Run]:
    """Trains all models with one recipe, ``workers`` at a time with one core each; see ``side_by_side``."""

    def run(bar: Any, model: nn.Module, seed: int) -> Run:
        return fit(model, clouds, seed=seed, bar=bar, **recipe)

    steps = len(models) * recipe["epochs"] * (len(clouds) // recipe["batch"])
    runs = {key: partial(run, model=model, seed=seeds[key]) for key, model in models.items()}
    return side_by_side(runs, steps=steps, workers=workers)


@torch.inference_mode()
def predict(model: nn.Module, clouds: Clouds, allowed: Tensor | None = None, *, batch: int = 16) -> Tensor:
    """The label of each point, int64 (N, P), by a model in evaluation mode; the best of those its category has.

    ``allowed`` is bool (categories, labels), as `PartNames.mask` gives it; without it, every label is. That the
    category is known is the custom of ShapeNet-Part.

    Raises:
        ValueError: there is no cloud, or a logit is not finite.
    """
    if not len(clouds):
        raise ValueError("there is no cloud to label.")
    device = next(model.parameters()).device
    model.eval()
    labels = []
    for start in range(0, len(clouds), batch):
        part = clouds[start : start + batch].to(device)
        logits = finite(model(part.features, part.points).cpu(), "logits")  # (n, classes, P)
        if allowed is not None:
            foreign = ~allowed[part.category.cpu()]  # (n, classes)
            logits = logits.masked_fill(foreign[:, :, None], -torch.inf)
        labels.append(logits.argmax(1))
    return torch.cat(labels)


@dataclass(frozen=True)
class Score:
    """Mean intersection over union, by the definitions of ShapeNet-Part.

    Attributes:
        instance: mean over clouds of the mean over the parts of the cloud's category.
        category: mean over categories of the mean over their clouds.
        part: (labels,), mean over the clouds in which the part is present or predicted; NaN where it never is.
        accuracy: share of points with the right label.
    """

    instance: float
    category: float
    part: Tensor
    accuracy: float


def score(predicted: Tensor, clouds: Clouds, allowed: Tensor) -> Score:
    """Compares labels (N, P) with the clouds'. A part that a cloud neither has nor is given counts as 1.

        IoU = |predicted ∩ true| / |predicted ∪ true|,  of the points with one label in one cloud

    Yi et al., "A scalable active framework for region annotation in 3D shape collections" (SIGGRAPH Asia 2016).

    Raises:
        ValueError: there is no point, or not one label for each; a category or a label that does not exist, or a label
            that its cloud's category does not have.
    """
    labels_within(clouds.category, len(allowed), "categories")
    true, belongs = clouds.part.cpu(), allowed[clouds.category.cpu()]  # (N, P), (N, labels)
    if predicted.shape != true.shape:
        raise ValueError(f"predictions {tuple(predicted.shape)} do not fit labels {tuple(true.shape)}.")
    if not true.numel():
        raise ValueError("there is no point to compare.")
    labels = allowed.shape[1]
    for what, given in {"predictions": predicted, "labels": true}.items():
        labels_within(given, labels, what)
    predicted, true = predicted.cpu().long(), true.long()
    a, b = (F.one_hot(x, labels).bool() for x in (predicted, true))  # (N, P, labels)
    both, either = (a & b).sum(1).double(), (a | b).sum(1).double()  # (N, labels)
    if (either.bool() & ~belongs).any():
        raise ValueError("a point has a label that its cloud's category does not have.")
    iou = torch.where(either > 0, both / either, 1.0)
    shape = (iou * belongs).sum(1) / belongs.sum(1)  # (N,)
    seen = either > 0
    kinds = [shape[clouds.category.cpu() == k].mean() for k in clouds.category.unique().tolist()]
    return Score(
        instance=shape.mean().item(),
        category=torch.stack(kinds).mean().item(),
        part=(iou * seen).sum(0) / seen.sum(0),
        accuracy=(predicted == true).double().mean().item(),
    )


def evaluate(model: nn.Module, clouds: Clouds, allowed: Tensor) -> Score:
    """``score`` of ``predict``."""
    return score(predict(model, clouds, allowed), clouds, allowed)
