"""The training loop of every comparison: one recipe, and several contestants side by side on one core each."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

Key = TypeVar("Key")


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
    with _progress(steps) if bar is None else nullcontext(bar) as bar:
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
                if not losses[-1] < float("inf"):
                    raise ValueError(
                        f"The loss is {losses[-1]} at step {len(losses)}; try a lower lr than {lr}."
                    )
                with bar.get_lock():
                    bar.set_postfix_str(f"loss {losses[-1]:.2f}", refresh=False)
                    bar.update()
    return Run(losses, time.thread_time() - start)


def train_all(runs: Mapping[Key, Callable[[Any], Run]], *, steps: int, workers: int = 2) -> dict[Key, Run]:
    """Makes all runs, ``workers`` at a time with one core each; each is given the bar of ``steps`` to advance.

    A run depends on itself alone, not on ``workers``. Small networks leave a second core idle when one step is spread
    over two, so each run takes one core. The workers are threads: PyTorch releases the interpreter's lock inside its
    operators, so two of them are as fast as two forked processes (measured: 1.73 times one, both). And models trained
    in place need not be pickled or sent back, which also allows classes that are defined in a notebook.
    """
    threads = torch.get_num_threads()
    with _progress(steps) as bar:
        pool = ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(1,))
        try:
            futures = {key: pool.submit(run, bar) for key, run in runs.items()}
            return {key: future.result() for key, future in futures.items()}
        finally:
            pool.shutdown(cancel_futures=True)
            torch.set_num_threads(threads)


def _progress(steps: int) -> Any:
    from tqdm import tqdm

    return tqdm(total=steps, unit="step", mininterval=1.0)
