"""The training loop of every comparison."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from math import isfinite
from typing import Any

import torch
from torch import Tensor, nn

from efficientlab.training.side_by_side import progress


@dataclass(frozen=True)
class Run:
    """What a training run cost and how it went."""

    losses: list[float]  # one a step
    cpu_seconds: float  # of the thread that trained


def train(
    model: nn.Module,
    examples: int,
    loss_of: Callable[[Tensor], Tensor],
    *,
    epochs: int,
    batch: int,
    lr: float,
    weight_decay: float = 0.05,
    seed: int = 0,
    bar: Any = None,
    unit: str = "examples",
) -> Run:
    """Trains ``model`` in place: AdamW, gradients clipped at norm 1, one cycle of the learning rate.

    The schedule is stepped once a batch and its length is counted in batches. The order comes from a generator of the
    run's own, so neighbouring threads do not disturb it. Batches are whole: the remainder of each shuffle is left out.

    Args:
        model: stays on its device.
        examples: how many there are to learn from.
        loss_of: the loss of the batch with these indices, int64 (batch,).
        epochs, batch, lr, weight_decay: batch in examples, lr the peak of the cycle.
        seed: of the order of the examples.
        bar: a tqdm bar to advance by one a step; by default one of its own.
        unit: what an example is called where there are too few.

    Raises:
        ValueError: fewer examples than one batch, or no epochs; a loss that is not finite.
    """
    steps = epochs * (examples // batch)
    if steps < 1:
        raise ValueError(f"Nothing to train on: {epochs} epochs of {examples} {unit} in batches of {batch}.")
    rng = torch.Generator().manual_seed(seed)
    optimiser = torch.optim.AdamW(model.parameters(), lr=lr, weight_decay=weight_decay, fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, lr, total_steps=steps)
    losses: list[float] = []
    model.train()
    start = time.thread_time()
    with progress(steps) if bar is None else nullcontext(bar) as bar:
        for _ in range(epochs):
            order = torch.randperm(examples, generator=rng)
            for index in order[: examples // batch * batch].split(batch):
                loss = loss_of(index)
                optimiser.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                optimiser.step()
                schedule.step()
                losses.append(loss.item())
                if not isfinite(losses[-1]):
                    raise ValueError(
                        f"The loss is {losses[-1]} at step {len(losses)}; try a lower lr than {lr}."
                    )
                with bar.get_lock():
                    bar.set_postfix_str(f"loss {losses[-1]:.2f}", refresh=False)
                    bar.update()
    return Run(losses, time.thread_time() - start)
