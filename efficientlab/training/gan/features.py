"""Train the classifiers whose features measure generated pictures (`models/features.py`)."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from efficientlab.models.gan.features import FeatureNet
from efficientlab.seeding import seeded
from efficientlab.training.finite import finite, labels_within


@dataclass(frozen=True)
class FeatureLog:
    """How a feature network was trained, and how well it classifies."""

    seed: int
    epochs: int
    batch: int
    lr: float
    pictures: int
    parameters: int
    losses: list[float]  # mean of each epoch
    test_accuracy: float
    cpu_seconds: float
    torch: str

    def as_dict(self) -> dict[str, object]:
        return asdict(self)


def train_features(
    train: tuple[Tensor, Tensor],
    test: tuple[Tensor, Tensor],
    *,
    epochs: int = 10,
    batch: int = 128,
    lr: float = 1e-2,
    seed: int = 0,
    classes: int | None = None,
    widths: Sequence[int] = (16, 32, 64),
    loss_of: Callable[[Tensor, Tensor], Tensor] = F.cross_entropy,
    accuracy_of: Callable[[FeatureNet, Tensor, Tensor], float] | None = None,
) -> tuple[FeatureNet, FeatureLog]:
    """Train a `FeatureNet` to classify pictures: AdamW, one cycle of the learning rate, stepped once a batch.

    Args:
        train: pictures (N, C, H, W) in [−1, 1] and labels (N,); whole batches of each shuffle are used.
        test: the same, looked at once, after training.
        classes, widths: of the network; by default as many classes as there are labels.
        loss_of: (scores (N, classes), labels) → loss, for labels that are more than one class each.
        accuracy_of: (network, pictures, labels) → what the log calls test accuracy; `accuracy` by default.
        epochs, batch, lr, seed: of the run; the seed sets the first weights and the order.

    Returns:
        the network in evaluation mode, and its log.

    Raises:
        ValueError: fewer pictures than one batch.
    """
    pictures, labels = train
    if len(pictures) < batch:
        raise ValueError(f"training needs at least one batch of {batch} pictures, got {len(pictures)}")
    rng = torch.Generator().manual_seed(seed)
    with seeded(seed):
        network = FeatureNet(pictures.shape[1], classes or int(labels.max()) + 1, widths)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    steps = epochs * (len(pictures) // batch)
    optimiser = torch.optim.AdamW(network.parameters(), lr=lr, weight_decay=0.01, fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, lr, total_steps=steps)
    losses: list[float] = []
    start = time.process_time()
    for _ in range(epochs):
        total = 0.0
        order = torch.randperm(len(pictures), generator=rng)
        for index in order[: len(pictures) // batch * batch].split(batch):
            loss = loss_of(network.logits(pictures[index]), labels[index])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            total += loss.item()
        losses.append(total / (len(pictures) // batch))
    seconds = time.process_time() - start
    network.to(memory_format=torch.contiguous_format).eval()  # type: ignore[call-overload]
    return network, FeatureLog(
        seed=seed,
        epochs=epochs,
        batch=batch,
        lr=lr,
        pictures=len(pictures),
        parameters=sum(p.numel() for p in network.parameters()),
        losses=losses,
        test_accuracy=(accuracy_of or accuracy)(network, *test),
        cpu_seconds=round(seconds, 1),
        torch=torch.__version__,
    )


@torch.inference_mode()
def accuracy(network: FeatureNet, pictures: Tensor, labels: Tensor) -> float:
    """Share of pictures (N, C, H, W) whose class is right.

    Raises:
        ValueError: there is no picture, or not one label (N,) for each; a class that does not exist; a logit that is
            not finite.
    """
    if labels.shape != (len(pictures),) or not len(pictures):
        raise ValueError(
            f"each picture needs one label; got {len(pictures)} and labels {tuple(labels.shape)}."
        )
    logits = torch.cat([network.logits(part) for part in pictures.split(500)])  # (N, classes)
    labels_within(labels, logits.shape[1], "labels")
    predicted = finite(logits, "logits").argmax(1)
    return (predicted == labels).double().mean().item()
