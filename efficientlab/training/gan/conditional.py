"""One loop for every conditional GAN: teacher, super student, fine-tuned and from scratch."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from math import isfinite
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from efficientlab.datasets.gan.edges import Pairs, to_pixels
from efficientlab.models.gan.pix2pix import PatchDiscriminator, ResNetGenerator
from efficientlab.training.side_by_side import progress

RECONSTRUCTION_WEIGHT = 100.0  # pix2pix's


@dataclass(frozen=True)
class Batch:
    """What the losses of one step may read."""

    drawing: Tensor  # (N, 1, H, W) in [−1, 1]
    picture: Tensor  # (N, C, H, W) in [−1, 1]
    fake: Tensor  # (N, C, H, W): the generator's
    features: list[Tensor]  # the generator's, at `pix2pix.TAPS`
    discriminator: PatchDiscriminator


Losses = dict[str, Tensor]  # a term's name → its value, its weight included
GeneratorLoss = Callable[[Batch], Losses]
DiscriminatorLoss = Callable[[Batch], Tensor]


def hinge_discriminator(batch: Batch) -> Tensor:
    """E[max(0, 1 − D(x, y))] + E[max(0, 1 + D(x, G(x)))]; no gradient reaches the generator."""
    real = batch.discriminator(batch.drawing, batch.picture)
    fake = batch.discriminator(batch.drawing, batch.fake.detach())
    return F.relu(1 - real).mean() + F.relu(1 + fake).mean()


def hinge_generator(batch: Batch) -> Tensor:
    """−E[D(x, G(x))]."""
    return -batch.discriminator(batch.drawing, batch.fake).mean()


def pix2pix_loss(batch: Batch) -> Losses:
    """The hinge loss, and the mean absolute difference to the picture, weighted."""
    difference = (batch.fake - batch.picture).abs().mean()
    return {"GAN": hinge_generator(batch), "L1": RECONSTRUCTION_WEIGHT * difference}


@dataclass(frozen=True)
class PairBatches:
    """`steps` batches of (drawing, picture) in [−1, 1], in an order that the seed sets.

    Shapes: (batch, 1, H, W) and (batch, C, H, W).

    Batches are whole: the remainder of each shuffle is left out. A bar, where there is one, advances by one a batch.

    Raises:
        ValueError: fewer pairs than one batch, or no steps.
    """

    pairs: Pairs
    steps: int
    batch: int
    seed: int = 0
    device: torch.device | str = "cpu"
    bar: Any = None

    def __post_init__(self) -> None:
        if self.steps < 1 or len(self.pairs) < self.batch:
            raise ValueError(
                f"Nothing to train on: {self.steps} steps of {self.batch} out of {len(self.pairs)} pairs."
            )

    def __len__(self) -> int:
        return self.steps

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        rng = torch.Generator().manual_seed(self.seed)
        order = torch.empty(0, dtype=torch.int64)
        for _ in range(self.steps):
            if len(order) < self.batch:
                order = torch.randperm(len(self.pairs), generator=rng)
            index, order = order[: self.batch], order[self.batch :]
            part = self.pairs[index].to(self.device)
            yield to_pixels(part.drawing), to_pixels(part.picture)
            if self.bar is not None:
                with self.bar.get_lock():
                    self.bar.update()


@dataclass(frozen=True)
class GanRun:
    """How a run went: the losses of each step, by term; "D" is the discriminator's."""

    losses: dict[str, list[float]]
    cpu_seconds: float  # of the thread that trained


def fit_gan(
    generator: ResNetGenerator,
    discriminator: PatchDiscriminator | None,
    pairs: Pairs,
    *,
    steps: int,
    batch: int,
    lr: float,
    generator_loss: GeneratorLoss = pix2pix_loss,
    discriminator_loss: DiscriminatorLoss = hinge_discriminator,
    also_train: Iterable[nn.Parameter] = (),
    before_step: Callable[[], None] | None = None,
    seed: int = 0,
) -> GanRun:
    """Trains both players in place, the discriminator first in every step.

    Adam with β = (0.5, 0.999) for both; the learning rate is constant in the first half and falls linearly to zero
    in the second, once a step. The order of the pairs is the only randomness and comes from the seed.

    Args:
        generator, discriminator: on one device. Without a discriminator there is no adversarial game, and the loss
            must not read it.
        pairs: what to learn from; batches are whole.
        steps, batch, lr: of the run.
        generator_loss: its terms are summed.
        discriminator_loss: must leave the generator alone.
        also_train: further parameters that learn with the generator, such as a distillation's maps.
        before_step: called at the start of each step; a super student draws its configuration here.
        seed: of the order of the pairs.

    Raises:
        ValueError: fewer pairs than one batch, or no steps; a loss that is not finite.
    """
    device = next(generator.parameters()).device
    players = [_optimiser([*generator.parameters(), *also_train], lr)]
    if discriminator is not None:
        discriminator.train()
        players.append(_optimiser(discriminator.parameters(), lr))
    schedules = [torch.optim.lr_scheduler.LambdaLR(p, lambda i: min(1.0, 2 - 2 * i / steps)) for p in players]
    losses: dict[str, list[float]] = {}
    generator.train()
    start = time.thread_time()
    with progress(steps) as bar:
        for step, (drawing, picture) in enumerate(PairBatches(pairs, steps, batch, seed, device, bar), 1):
            if before_step is not None:
                before_step()
            fake, features = generator.with_features(drawing)
            now = Batch(drawing, picture, fake, features, discriminator)  # type: ignore[arg-type]
            terms: dict[str, float] = {}
            if discriminator is not None:
                terms["D"] = _descend(players[1], discriminator_loss(now))
                discriminator.requires_grad_(False)  # spares its weights' gradients in the generator's step
            parts = generator_loss(now)
            _descend(players[0], torch.stack(list(parts.values())).sum())
            if discriminator is not None:
                discriminator.requires_grad_(True)
            for schedule in schedules:
                schedule.step()
            terms |= {name: value.item() for name, value in parts.items()}
            for name, value in terms.items():
                if not isfinite(value):
                    raise ValueError(f"The loss {name} is {value} at step {step}; try a lower lr than {lr}.")
                losses.setdefault(name, []).append(value)
            bar.set_postfix_str(" ".join(f"{k} {v:.2f}" for k, v in terms.items()), refresh=False)
    return GanRun(losses, time.thread_time() - start)


def _optimiser(parameters: Iterable[nn.Parameter], lr: float) -> torch.optim.Adam:
    return torch.optim.Adam(parameters, lr=lr, betas=(0.5, 0.999), fused=True)


def _descend(optimiser: torch.optim.Optimizer, loss: Tensor) -> float:
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
    return loss.item()


@torch.inference_mode()
def translate(generator: nn.Module, pairs: Pairs, *, batch: int = 100) -> Tensor:
    """The generator's pictures of all drawings: float (N, C, H, W) in [−1, 1], on the CPU."""
    device = next(generator.parameters()).device
    return torch.cat([generator(to_pixels(part.to(device))).cpu() for part in pairs.drawing.split(batch)])
