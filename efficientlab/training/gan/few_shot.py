"""The loop that trains a GAN on few pictures, for every contestant of a comparison on equal terms."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from math import isfinite
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from efficientlab.datasets.gan.few_shot import FewShot
from efficientlab.models.gan.dcgan import LATENT, Discriminator, Generator
from efficientlab.seeding import seeded
from efficientlab.training.finite import finite
from efficientlab.training.gan.distances import features_of, frechet_distance
from efficientlab.training.side_by_side import Key, progress, side_by_side

Transform = Callable[[Tensor, torch.Generator], Tensor]
"""An augmentation T: pictures (N, C, H, W) and where its draws come from → pictures of the same shape."""
Measure = Callable[[nn.Module, nn.Module], Any]
"""(averaged generator, discriminator), both in evaluation mode → what to keep."""
Networks = tuple[Generator, Discriminator]


def unchanged(x: Tensor, rng: torch.Generator) -> Tensor:
    """The augmentation that is none."""
    return x


@dataclass(frozen=True)
class Variant:
    """Where a GAN's pictures are augmented: T is one transform, or `unchanged`, at each of three places."""

    reals: Transform = unchanged  # of the training pictures alone, before anything else sees them
    discriminator: Transform = unchanged  # of all that the discriminator sees in its own step
    generator: Transform = unchanged  # of what it sees in the generator's step


@dataclass(frozen=True)
class Objective:
    """The two losses; T takes pictures alone, its draws are bound."""

    discriminator: Callable[..., Tensor]  # (discriminator, real, fake, T) → loss
    generator: Callable[..., Tensor]  # (discriminator, fake, T) → loss


@dataclass(frozen=True)
class Recipe:
    """What all contestants share."""

    steps: int
    batch: int = 16
    lr: float = 2e-3
    width: int = 32
    average: float = 0.995  # of the generator's weights: how much of the mean a step keeps
    every: int = 250  # steps between measurements


@dataclass(frozen=True)
class FewShotRun:
    """How a run went."""

    measured: dict[int, Any]  # step → what `measure` returned
    seconds_a_step: float  # CPU seconds of the thread that trained, measuring left out


@dataclass(frozen=True)
class Snapshot:
    """A run at one step."""

    fid: float  # of 500 samples to the held-out pictures
    rates: dict[str, float]  # shares of pictures that the discriminator takes for real
    scores: dict[str, Tensor]  # the discriminator's, of training, held-out and generated pictures
    samples: Tensor  # (64, C, 32, 32)


def watch(data: FewShot, features: nn.Module, rates: Callable[..., dict[str, float]]) -> Measure:
    """What to measure as a run goes on, against pictures that it does not learn from.

    Args:
        data: its test pictures are not looked at.
        features: in which FID is measured.
        rates: (discriminator, train, held_out, fake) → shares by name.
    """
    some = data.held_out[:: max(1, len(data.held_out) // 300)]
    known = features_of(data.held_out, features)  # they stay the same

    @torch.no_grad()
    def measure(generator: nn.Module, discriminator: nn.Module) -> Snapshot:
        device = next(discriminator.parameters()).device
        samples = sample(generator, 500)
        sets = {"train": data.train, "held_out": some, "fake": samples[: len(some)]}
        on_device = {name: pictures.to(device) for name, pictures in sets.items()}
        scores = {
            name: finite(discriminator(pictures).cpu(), f"scores of D for {name} pictures")
            for name, pictures in on_device.items()
        }
        return Snapshot(
            frechet_distance(known, features_of(samples, features)),
            rates(discriminator, *on_device.values()),
            scores,
            samples[:64].clone(),
        )

    return measure


@torch.inference_mode()
def sample(generator: nn.Module, n: int, seed: int = 0) -> Tensor:
    """n pictures of a generator, on the CPU; the latent vectors follow from the seed alone."""
    device = next(generator.parameters()).device
    z = torch.randn(n, LATENT, generator=torch.Generator().manual_seed(seed))
    return torch.cat([generator(part.to(device)).cpu() for part in z.split(250)])


def fit_few_shot(
    real: Tensor,
    variant: Variant,
    objective: Objective,
    recipe: Recipe,
    networks: Networks,
    *,
    seed: int = 0,
    measure: Measure | None = None,
    bar: Any = None,
) -> FewShotRun:
    """Train a GAN on real pictures (n, C, 32, 32): one step of D, one of G, Adam for both, G averaged over steps.

    All draws, of pictures, latent vectors and augmentations, come from one generator of the run's own. The networks
    are trained in place and left in evaluation mode, the generator with the mean of its weights.

    Args:
        real: in [−1, 1], on the device to train on.
        variant, objective, recipe: see their classes.
        networks: what to train, from `new_networks`.
        seed: of the draws.
        measure: called every `recipe.every` steps.
        bar: a tqdm bar to advance by one a step; by default one of its own.

    Raises:
        ValueError: no pictures, or not of 32 × 32 pixels; a loss that is not finite.
    """
    if real.ndim != 4 or not len(real) or real.shape[2:] != (32, 32):
        raise ValueError(f"real pictures must be (n, C, 32, 32) with n ≥ 1, got shape {tuple(real.shape)}")
    generator, discriminator = (network.to(real.device).train() for network in networks)
    averaged = AveragedModel(generator, multi_avg_fn=get_ema_multi_avg_fn(recipe.average), use_buffers=True)
    adam: Any = partial(torch.optim.Adam, betas=(0.5, 0.999), fused=True)
    optimise_g = adam(generator.parameters(), lr=recipe.lr)
    optimise_d = adam(discriminator.parameters(), lr=recipe.lr)
    rng = torch.Generator(real.device).manual_seed(seed)
    real = real.contiguous(memory_format=torch.channels_last)

    def draw_fake() -> Tensor:
        return generator(torch.randn(recipe.batch, LATENT, generator=rng, device=real.device))

    def bound(transform: Transform) -> Callable[[Tensor], Tensor]:
        return lambda x: transform(x, rng)

    t_reals, t_d, t_g = map(bound, (variant.reals, variant.discriminator, variant.generator))
    measured: dict[int, Any] = {}
    measuring, start = 0.0, time.thread_time()
    with progress(recipe.steps) if bar is None else nullcontext(bar) as bar:
        for step in range(1, recipe.steps + 1):
            index = torch.randint(len(real), (recipe.batch,), generator=rng, device=real.device)
            with torch.no_grad():
                fake = draw_fake()
            loss_d = objective.discriminator(discriminator, t_reals(real[index]), fake, t_d)
            optimise_d.zero_grad()
            loss_d.backward()
            optimise_d.step()

            discriminator.requires_grad_(False)  # its own gradient is not needed here
            loss_g = objective.generator(discriminator, draw_fake(), t_g)
            optimise_g.zero_grad()
            loss_g.backward()
            optimise_g.step()
            discriminator.requires_grad_(True)
            averaged.update_parameters(generator)

            if step % recipe.every == 0:
                values = loss_d.item(), loss_g.item()
                if not all(map(isfinite, values)):
                    raise ValueError(f"the losses of D and G at step {step} are {values}; try a lower lr.")
                with bar.get_lock():
                    bar.set_postfix_str(f"D {values[0]:.2f} G {values[1]:.2f}", refresh=False)
                if measure is not None:
                    began = time.thread_time()
                    measured[step] = measure(averaged.eval(), discriminator.eval())
                    discriminator.train()
                    measuring += time.thread_time() - began
            with bar.get_lock():
                bar.update()
    seconds = (time.thread_time() - start - measuring) / recipe.steps
    generator.load_state_dict(averaged.module.state_dict())
    generator.eval(), discriminator.eval()
    return FewShotRun(measured, seconds)


def new_networks(channels: int, width: int, seed: int) -> Networks:
    """An untrained pair, whose weights follow from the seed alone."""
    with seeded(seed):
        return Generator(channels, width), Discriminator(channels, width)


@dataclass(frozen=True)
class Contest:
    """One contestant of `fit_contest`: its pictures, its variant, its networks and the seed of its draws."""

    real: Tensor
    variant: Variant
    networks: Networks
    seed: int = 0


def fit_contest(
    contest: Mapping[Key, Contest],
    objective: Objective,
    recipe: Recipe,
    *,
    measure: Measure | None = None,
    workers: int = 2,
) -> dict[Key, FewShotRun]:
    """Train all contestants with one recipe, `workers` at a time in threads of one core each.

    A run depends on its own data, variant, networks and seed, not on `workers`.
    """

    def run(bar: Any, *, entry: Contest) -> FewShotRun:
        options: dict[str, Any] = {"seed": entry.seed, "measure": measure, "bar": bar}
        return fit_few_shot(entry.real, entry.variant, objective, recipe, entry.networks, **options)

    runs = {key: partial(run, entry=entry) for key, entry in contest.items()}
    return side_by_side(runs, steps=len(contest) * recipe.steps, workers=workers)
