"""One loop for every contestant of a comparison: train clip classifiers, on equal terms and side by side."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..datasets.arrowset import Clips

Key = TypeVar("Key")


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


@dataclass(frozen=True)
class Run:
    """What a training run cost and how it went."""

    losses: list[float]  # one a step
    cpu_seconds: float  # of the thread that trained


def fit(
    model: nn.Module,
    clips: Labelled,
    *,
    epochs: int,
    batch: int,
    lr: float,
    weight_decay: float = 0.05,
    seed: int = 0,
    objective: Objective = cross_entropy,
    bar: Any = None,
) -> Run:
    """Trains ``model`` in place: AdamW, gradients clipped at norm 1, one cycle of the learning rate.

    The schedule is stepped once a batch and its length is counted in batches. All randomness comes from a
    generator of the run's own, so neighbouring threads do not disturb it. Batches are whole: the remainder of
    each shuffle is left out. There is no augmentation: every clip is a scene of its own, and the usual flip
    and time reversal would change labels.

    Args:
        model: maps float clips (N, T, 3, H, W) to logits; stays on its device.
        clips: what to learn from, on any device.
        epochs, batch, lr, weight_decay: batch in clips, lr the peak of the cycle.
        seed: of the order of the clips.
        objective: (model, float video, clips) → the loss of a batch.
        bar: a tqdm bar to advance by one a step; by default one of its own.

    Raises:
        ValueError: fewer clips than one batch, or no epochs; a loss that is not finite.
    """
    steps = epochs * (len(clips) // batch)
    if steps < 1:
        raise ValueError(f"Nothing to train on: {epochs} epochs of {len(clips)} clips in batches of {batch}.")
    device = next(model.parameters()).device
    rng = torch.Generator().manual_seed(seed)
    optimiser = torch.optim.AdamW(model.parameters(), lr=lr, weight_decay=weight_decay, fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, lr, total_steps=steps)
    losses: list[float] = []
    model.train()
    start = time.thread_time()
    with _progress(steps) if bar is None else nullcontext(bar) as bar:
        for _ in range(epochs):
            order = torch.randperm(len(clips), generator=rng)
            for index in order[: len(clips) // batch * batch].split(batch):
                part = clips[index].to(device)
                loss = objective(model, normalise(part.video), part)
                optimiser.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                optimiser.step()
                schedule.step()
                losses.append(loss.item())
                if not losses[-1] < float("inf"):
                    raise ValueError(
                        f"The loss is {losses[-1]} at step {len(losses)}; try a lower lr than {lr}."
                    )
                with bar.get_lock():
                    bar.set_postfix_str(f"loss {losses[-1]:.2f}", refresh=False)
                    bar.update()
    return Run(losses, time.thread_time() - start)


@dataclass(frozen=True)
class Job:
    """One contestant of ``fit_all``: a model, and what is its own in the recipe."""

    model: nn.Module
    seed: int = 0
    objective: Objective = cross_entropy


def fit_all(jobs: Mapping[Key, Job], clips: Labelled, *, workers: int = 2, **recipe: Any) -> dict[Key, Run]:
    """Trains all jobs with one recipe (the arguments of ``fit``), ``workers`` at a time with one core each.

    A run depends on its model, its seed and the recipe alone, not on ``workers``. Small networks leave a second
    core idle when one step is spread over two, so each run takes one core. The workers are threads: PyTorch
    releases the interpreter's lock inside its operators, so two of them are as fast as two forked processes
    (measured: 1.73 times one, both). And models trained in place need not be pickled or sent back, which also
    allows classes that are defined in a notebook.
    """
    threads = torch.get_num_threads()

    def run(job: Job) -> Run:
        return fit(job.model, clips, seed=job.seed, objective=job.objective, bar=bar, **recipe)

    steps = len(jobs) * recipe["epochs"] * (len(clips) // recipe["batch"])
    with _progress(steps) as bar:
        pool = ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(1,))
        try:
            futures = {key: pool.submit(run, job) for key, job in jobs.items()}
            return {key: future.result() for key, future in futures.items()}
        finally:
            pool.shutdown(cancel_futures=True)
            torch.set_num_threads(threads)


def _progress(steps: int) -> Any:
    from tqdm import tqdm

    return tqdm(total=steps, unit="step", mininterval=1.0)


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
        ValueError: not one row of logits for each clip, or too few columns for the labels.
    """
    classes = logits.shape[1]
    if len(logits) != len(clips) or classes <= int(clips.label.max()):
        raise ValueError(
            f"Logits {tuple(logits.shape)} do not fit {len(clips)} clips; expected (N, classes)."
        )
    predicted = logits.argmax(1)
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
