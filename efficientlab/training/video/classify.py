"""One loop for every contestant of a comparison: train clip classifiers, on equal terms and side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from efficientlab.datasets.video.arrowset import Clips
from efficientlab.training.finite import finite, labels_within
from efficientlab.training.loop import Run, train
from efficientlab.training.side_by_side import Key, side_by_side


class Labelled(Protocol):
    """What `fit` learns from: an ArrowSet, or the clips of a real set."""

    @property
    def video(self) -> Tensor: ...  # uint8 (N, T, 3, H, W)
    @property
    def label(self) -> Tensor: ...  # int64 (N,)
    def __len__(self) -> int: ...
    def __getitem__(self, index: Any) -> Labelled: ...
    def to(self, device: torch.device | str) -> Labelled: ...


Objective = Callable[
    [nn.Module, Tensor, Any], Tensor
]  # the last one: the batch, of the kind that `fit` was given


def normalise(video: Tensor) -> Tensor:
    """uint8 pixels → float pixels of about zero mean and unit scale, of the same shape."""
    return video.float().sub_(80).div_(64)


def cross_entropy(model: nn.Module, video: Tensor, clips: Labelled) -> Tensor:
    """The usual objective: the mean cross-entropy of the model's logits with the clips' labels."""
    return F.cross_entropy(model(video), clips.label)


def fit(
    model: nn.Module,
    clips: Labelled,
    *,
    seed: int = 0,
    objective: Objective = cross_entropy,
    bar: Any = None,
    **recipe: Any,
) -> Run:
    """Trains ``model`` in place with a recipe, which is the rest of the arguments of ``loop.train``.

    There is no augmentation: every clip is a scene of its own, and the usual flip and time reversal would change
    labels.

    Args:
        model: maps float clips (N, T, 3, H, W) to logits; stays on its device.
        clips: what to learn from, on any device.
        seed: of the order of the clips.
        objective: (model, float video, clips) → the loss of a batch.
        bar: a tqdm bar to advance by one a step; by default one of its own.
        recipe: epochs, batch in clips, lr, and weight_decay if it is not to be the default.

    Raises:
        ValueError: fewer clips than one batch, or no epochs; a loss that is not finite.
    """
    device = next(model.parameters()).device

    def loss_of(index: Tensor) -> Tensor:
        part = clips[index].to(device)
        return objective(model, normalise(part.video), part)

    return train(model, len(clips), loss_of, seed=seed, bar=bar, unit="clips", **recipe)


@dataclass(frozen=True)
class Job:
    """One contestant of ``fit_all``: a model, and what is its own in the recipe."""

    model: nn.Module
    seed: int = 0
    objective: Objective = cross_entropy


def fit_all(jobs: Mapping[Key, Job], clips: Labelled, *, workers: int = 2, **recipe: Any) -> dict[Key, Run]:
    """Trains all jobs with one recipe, ``workers`` at a time with one core each; see ``side_by_side``."""
    runs = {key: partial(_run, job=job, clips=clips, recipe=recipe) for key, job in jobs.items()}
    steps = len(jobs) * recipe["epochs"] * (len(clips) // recipe["batch"])
    return side_by_side(runs, steps=steps, workers=workers)


def _run(bar: Any, *, job: Job, clips: Labelled, recipe: Mapping[str, Any]) -> Run:
    return fit(job.model, clips, seed=job.seed, objective=job.objective, bar=bar, **recipe)


@torch.inference_mode()
def predict(model: nn.Module, clips: Labelled, *, batch: int = 64) -> Tensor:
    """The logits (N, outputs) of a model in evaluation mode, on the CPU."""
    device = next(model.parameters()).device
    model.eval()
    return torch.cat([model(normalise(part.to(device))).cpu() for part in clips.video.split(batch)])


@dataclass(frozen=True)
class Score:
    top1: float  # share of clips whose class is right
    arrow: float  # share whose arrow is right when the choice is between the two arrows of the true kind
    confusion: Tensor  # int64 (classes, classes): rows are true classes, columns predicted ones


def score(logits: Tensor, clips: Clips) -> Score:
    """Compares logits (N, classes) with the labels.

    Raises:
        ValueError: no clips, not one row of logits for each, an odd number of columns, or too few for the labels; a
            logit that is not finite.
    """
    if logits.ndim != 2:
        raise ValueError(f"Logits must be (N, classes), got {tuple(logits.shape)}.")
    classes = logits.shape[1]
    if classes % 2:
        raise ValueError(f"Logits must be of pairs of classes, one for each arrow; got {classes}.")
    if not len(clips):
        raise ValueError("There is no clip to compare.")
    if len(logits) != len(clips) or classes <= int(clips.label.max()):
        raise ValueError(
            f"Logits {tuple(logits.shape)} do not fit {len(clips)} clips; expected (N, classes)."
        )
    labels_within(clips.label, classes, "labels")
    labels_within(clips.arrow, 2, "arrows")
    predicted = finite(logits, "logits").argmax(1)
    pair = logits.unflatten(1, (-1, 2))[torch.arange(len(clips)), clips.kind]  # (N, 2)
    confusion = torch.bincount(clips.label * classes + predicted, minlength=classes**2).view(classes, classes)
    return Score(
        top1=(predicted == clips.label).double().mean().item(),
        arrow=(pair.argmax(1) == clips.arrow).double().mean().item(),
        confusion=confusion,
    )


def evaluate(model: nn.Module, clips: Clips) -> Score:
    """``score`` of ``predict``."""
    return score(predict(model, clips), clips)
